"""Contents of attachments: multipart/mixed in and out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from jobgate import wire
from jobgate.conformance.checks import Chapter
from jobgate.conformance.lrs import JSON, Lrs, Said
from jobgate.conformance.made import HOME, make

CONTENTS = check = Chapter("Communication 1.5")

BOUNDARY = "conformance-7d3f9a10"
MIXED = f"multipart/mixed; boundary={BOUNDARY}"

Part = tuple[Mapping[str, str], bytes]


def attach(*contents: bytes, **changes: Any) -> list[dict[str, Any]]:
    """What announces contents."""
    return [
        {
            "usageType": f"{HOME}/attachments/text",
            "display": {"en": "A text"},
            "contentType": "text/plain",
            "length": len(content),
            "sha2": hashlib.sha256(content).hexdigest(),
        }
        | changes
        for content in contents
    ]


def write_first(*statements: Any) -> Part:
    """The part with the statements."""
    return {"Content-Type": JSON}, wire.encode(list(statements))


def write_content(content: bytes, **changes: str | None) -> Part:
    """A part with a content; a header that is None is left out."""
    headers: dict[str, str | None] = {
        "Content-Type": "text/plain",
        "Content-Transfer-Encoding": "binary",
        "X-Experience-API-Hash": hashlib.sha256(content).hexdigest(),
    }
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    return {name: value for name, value in headers.items() if value is not None}, content


def join(parts: Sequence[Part]) -> bytes:
    """A body of these parts."""
    body = b""
    for headers, content in parts:
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        body += f"--{BOUNDARY}\r\n{head}\r\n".encode() + content + b"\r\n"
    return body + f"--{BOUNDARY}--\r\n".encode()


async def post(lrs: Lrs, *parts: Part, kind: str = MIXED) -> Said:
    """Post these parts."""
    return await lrs.ask("POST", "statements", body=join(parts), headers={"Content-Type": kind})


@check("XAPI-00127", "XAPI-00167")
async def in_and_out(lrs: Lrs) -> None:
    """Contents that come with a statement are given where they are asked for"""
    content = b"What Ada wrote:\r\n\x00\xff"
    statement = make(attachments=attach(content))
    (await post(lrs, write_first(statement), write_content(content))).must_be(200)
    await lrs.settle(statement["id"])
    said = (await lrs.get(statementId=statement["id"], attachments=True)).must_be(200)
    said.require(said.header("Content-Type").lower().startswith("multipart/mixed"), "it is not multipart/mixed")
    said.require(content in said.body, "the content is not in it")
    sha2 = hashlib.sha256(content).hexdigest().encode()
    said.require(b"x-experience-api-hash" in said.body.lower() and sha2 in said.body, "the content has no hash")


@check("XAPI-00161")
async def out_without(lrs: Lrs) -> None:
    """Contents are not given where they are not asked for"""
    content = b"What Ben wrote"
    statement = make(attachments=attach(content))
    (await post(lrs, write_first(statement), write_content(content))).must_be(200)
    await lrs.settle(statement["id"])
    for params in ({}, {"attachments": False}):
        said = (await lrs.get(statementId=statement["id"], **params)).must_be(200)
        said.require(said.header("Content-Type").lower().startswith(JSON), "it is not application/json")


@check("XAPI-00127")
async def one_content_for_two(lrs: Lrs) -> None:
    """A content that two statements have comes once"""
    content = b"What both have read"
    statements = [make(attachments=attach(content)) for _ in range(2)]
    (await post(lrs, write_first(*statements), write_content(content))).must_be(200)


@check("XAPI-00127")
async def what_lies_elsewhere(lrs: Lrs) -> None:
    """An attachment with fileUrl needs no content"""
    (await lrs.post(make(attachments=attach(b"elsewhere", fileUrl=f"{HOME}/files/1")))).must_be(200)


@check("XAPI-00129")
async def what_is_missing(lrs: Lrs) -> None:
    """A content that is announced, and is neither there nor elsewhere, is missed"""
    statement = make(attachments=attach(b"one", b"two"))
    (await lrs.post(statement)).must_be(400)
    (await post(lrs, write_first(statement), write_content(b"one"))).must_be(400)


@check("XAPI-00128")
async def what_is_too_much(lrs: Lrs) -> None:
    """A content that nobody announced is refused"""
    statement = make(attachments=attach(b"one"))
    (await post(lrs, write_first(statement), write_content(b"one"), write_content(b"two"))).must_be(400)


@check("XAPI-00131")
async def no_boundary(lrs: Lrs) -> None:
    """multipart/mixed without a boundary is refused"""
    parts = write_first(make(attachments=attach(b"one"))), write_content(b"one")
    (await post(lrs, *parts, kind="multipart/mixed")).must_be(400)


@check("XAPI-00130")
async def other_boundary(lrs: Lrs) -> None:
    """multipart/mixed whose parts have another boundary is refused"""
    parts = write_first(make(attachments=attach(b"one"))), write_content(b"one")
    (await post(lrs, *parts, kind="multipart/mixed; boundary=another")).must_be(400)


@check("XAPI-00134")
async def first_is_no_json(lrs: Lrs) -> None:
    """The first part is application/json"""
    _, body = write_first(make(attachments=attach(b"one")))
    (await post(lrs, ({"Content-Type": "text/plain"}, body), write_content(b"one"))).must_be(400)


@check("XAPI-00133")
async def statements_in_two_parts(lrs: Lrs) -> None:
    """All statements stand in the first part"""
    first, second = write_first(make(attachments=attach(b"one"))), write_first(make())
    (await post(lrs, first, second, write_content(b"one"))).must_be(400)


@check("XAPI-00132")
async def no_hash(lrs: Lrs) -> None:
    """A content comes with a hash that a statement has"""
    first = write_first(make(attachments=attach(b"one")))
    (await post(lrs, first, write_content(b"one", X_Experience_API_Hash=None))).must_be(400)
    other = hashlib.sha256(b"two").hexdigest()
    (await post(lrs, first, write_content(b"one", X_Experience_API_Hash=other))).must_be(400)


@check("XAPI-00135")
async def not_binary(lrs: Lrs) -> None:
    """A content comes with Content-Transfer-Encoding: binary"""
    first = write_first(make(attachments=attach(b"one")))
    (await post(lrs, first, write_content(b"one", Content_Transfer_Encoding="base64"))).must_be(400)
    (await post(lrs, first, write_content(b"one", Content_Transfer_Encoding=None))).must_be(400)
