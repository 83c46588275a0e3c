"""Signatures: what is signed must be the statement, by an allowed algorithm, as its certificate says."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding

from jobgate.testing import House
from jobgate.xapi.attachments import SIGNATURE
from jobgate.xapi.signatures import check_signatures
from tests.stored_statements import make, record

HASHES: dict[str, Any] = {"RS256": SHA256, "RS384": SHA384, "RS512": SHA512}
JWS, PAYLOAD, ALGORITHM = "XAPI-00115", "XAPI-00116", "XAPI-00117"


@cache
def make_key(number: int) -> RSAPrivateKey:
    """One of several keys."""
    assert number < 2
    return generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certify(number: int) -> str:
    """A certificate of a key, as a JWS has it."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Ada")])
    builder = x509.CertificateBuilder(name, name, make_key(number).public_key(), 1)
    builder = builder.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(
        datetime(2030, 1, 1, tzinfo=UTC)
    )
    signed = builder.sign(make_key(number), SHA256())
    return base64.b64encode(signed.public_bytes(Encoding.DER)).decode()


def sign(payload: Any, algorithm: str = "RS256", **head: Any) -> bytes:
    """A compact JWS by the first key."""
    parts = [encode(msgspec.json.encode(part)) for part in ({"alg": algorithm} | head, payload)]
    signature = make_key(0).sign(b".".join(parts), PKCS1v15(), HASHES.get(algorithm, SHA256)())
    return b".".join([*parts, encode(signature)])


def encode(text: bytes) -> bytes:
    return base64.urlsafe_b64encode(text).rstrip(b"=")


def attach(statement: dict[str, Any], content: bytes) -> dict[str, Any]:
    """The statement with its signature announced."""
    sha2 = hashlib.sha256(content).hexdigest()
    display, kind = {"en": "Signature"}, "application/octet-stream"
    announced = {"usageType": SIGNATURE, "display": display, "contentType": kind, "length": len(content), "sha2": sha2}
    return statement | {"attachments": [announced]}


def judge(content: bytes) -> list[str]:
    """The rules that this breaks as the signature of the first statement."""
    sha2 = hashlib.sha256(content).hexdigest()
    return [violation.rule for violation in check_signatures(attach(make(1), content), {sha2: content})]


@pytest.mark.parametrize("algorithm", HASHES)
@pytest.mark.parametrize("head", [{}, {"x5c": []}, {"x5c": ["its own"]}], ids=["bare", "empty", "certified"])
def test_a_signature_of_the_statement_is_right(algorithm: str, head: dict[str, Any]) -> None:
    head = {"x5c": [certify(0)]} if head.get("x5c") else head

    assert judge(sign(make(1), algorithm, **head)) == []


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (lambda: b"signed, Ada", JWS),
        (lambda: b"", JWS),
        (lambda: b"e30.e30.e30", JWS),
        (lambda: b"\xff.\xff.\xff", JWS),
        (lambda: sign(make(1)) + b".e30", JWS),
        (lambda: sign(make(1), x5c=[certify(1)]), JWS),
        (lambda: sign(make(1), x5c=["no certificate"]), JWS),
        (lambda: sign(make(1), "HS256"), ALGORITHM),
        (lambda: sign(make(1), "none"), ALGORITHM),
        (lambda: sign(make(2)), PAYLOAD),
        (lambda: sign("no statement"), PAYLOAD),
        (lambda: sign({"timestamp": "2026-01-01T00:00:00Z", "actor": [], "object": 7}), PAYLOAD),
    ],
    ids=[
        *("text", "nothing", "empty objects", "no base64", "four parts", "another key", "no certificate"),
        *("symmetric", "unsigned", "another statement", "no object", "odd shapes"),
    ],
)
def test_any_other_content_is_none(content: Callable[[], bytes], rule: str) -> None:
    assert judge(content()) == [rule]


async def test_a_store_refuses_what_somebody_else_signed(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    contents = [sign(make(1)), sign(make(3))]
    given = [
        {
            "sha2": hashlib.sha256(content).hexdigest(),
            "content_type": "application/octet-stream",
            "content": base64.b64encode(content).decode(),
        }
        for content in contents
    ]

    done = await record(house, [attach(make(1), contents[0]), attach(make(2), contents[1])], attachments=given)

    assert done["accepted"] == [make(1)["id"]]
    (refused,) = done["rejected"]
    assert refused["violations"] == [
        {"path": "$.attachments[0]", "rule": PAYLOAD, "message": "the payload of a signature is the statement"}
    ]
