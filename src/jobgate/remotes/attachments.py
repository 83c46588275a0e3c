"""The contents of attachments, as they travel beside the statements that announce them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from jobgate.remotes.multipart import Malformed, Part, build, parse, read_media_type
from jobgate.xapi.attachments import has_digest

HASH = "X-Experience-API-Hash"
MIXED = "multipart/mixed"


class Content(NamedTuple):
    """What is attached."""

    content_type: str
    data: bytes


Contents = Mapping[str, Content]
"""By `sha2` in lower case."""


def find_announced(statement: Any) -> Iterator[Mapping[str, Any]]:
    """The attachments that a valid statement announces, those of its SubStatement too."""
    yield from statement.get("attachments", ())
    about = statement["object"]
    if about.get("objectType") == "SubStatement":
        yield from about.get("attachments", ())


def pack(statements: Sequence[bytes], contents: Contents) -> tuple[bytes, str]:
    """A body of statements with these contents, each once, and its Content-Type."""
    array = b"[" + b",".join(statements) + b"]"
    if not contents:
        return array, "application/json"
    parts = [Part({"Content-Type": "application/json"}, array)]
    for sha2, content in contents.items():
        headers = {"Content-Type": content.content_type, "Content-Transfer-Encoding": "binary", HASH: sha2}
        parts.append(Part(headers, content.data))
    return build(parts)


def unpack(body: bytes, content_type: str) -> tuple[bytes, dict[str, Content]]:
    """The JSON of an answer and the contents beside it; raises `Malformed`.

    A content that is not what its hash says is left out, as if it had not come: nobody announced it.
    """
    kind, boundary = read_media_type(content_type)
    if kind == "application/json":
        return body, {}
    if kind != MIXED:
        raise Malformed("it is neither JSON nor multipart/mixed")
    first, *others = parse(body, boundary) or [Part({}, b"")]
    if read_media_type(first.headers.get("content-type", ""))[0] != "application/json":
        raise Malformed("the first part is not JSON")
    contents: dict[str, Content] = {}
    for part in others:
        sha2 = part.headers.get(HASH.lower(), "").lower()
        if has_digest(part.data, sha2):
            contents[sha2] = Content(part.headers.get("content-type", "application/octet-stream"), part.data)
    return first.data, contents
