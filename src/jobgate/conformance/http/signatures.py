"""Signed statements: a compact JWS among the attachments, whose payload is the statement."""

from __future__ import annotations

import asyncio
import base64
import hmac
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from jobgate import wire
from jobgate.conformance.checks import Chapter
from jobgate.conformance.http.contents import attach, post, write_content, write_first
from jobgate.conformance.lrs import Lrs, Said
from jobgate.conformance.made import make

SIGNATURES = check = Chapter("Data 2.6")

USAGE = "http://adlnet.gov/expapi/attachments/signature"
KIND = "application/octet-stream"

ALGORITHMS: dict[str, type[HashAlgorithm]] = {"RS256": SHA256, "RS384": SHA384, "RS512": SHA512}


@cache
def _key() -> RSAPrivateKey:
    return generate_private_key(public_exponent=65537, key_size=2048)


async def sign(payload: Any, algorithm: str = "RS256") -> bytes:
    """A compact JWS."""
    key = await asyncio.to_thread(_key)  # the first time it is made
    text = b".".join([_encode(wire.encode({"alg": algorithm})), _encode(wire.encode(payload))])
    if algorithm in ALGORITHMS:
        signature = key.sign(text, PKCS1v15(), ALGORITHMS[algorithm]())
    else:
        signature = hmac.digest(b"secret", text, sha256)
    return b".".join([text, _encode(signature)])


async def post_signed(lrs: Lrs, statement: dict[str, Any], signature: bytes, kind: str = KIND) -> Said:
    """Post a statement with its signature."""
    signed = statement | {"attachments": attach(signature, usageType=USAGE, contentType=kind)}
    return await post(lrs, write_first(signed), write_content(signature, Content_Type=kind))


@check("XAPI-00115", "XAPI-00116", "XAPI-00117")
async def rightly_signed(lrs: Lrs) -> None:
    """A signature with RS256, RS384 or RS512 over the statement is accepted"""
    for algorithm in ALGORITHMS:
        statement = make()
        (await post_signed(lrs, statement, await sign(statement, algorithm))).must_be(200)


@check("XAPI-00115")
async def other_content_type(lrs: Lrs) -> None:
    """A signature is application/octet-stream"""
    statement = make()
    (await post_signed(lrs, statement, await sign(statement), "text/plain")).must_be(400)


@check("XAPI-00115")
async def no_signature(lrs: Lrs) -> None:
    """A signature is a JWS"""
    (await post_signed(lrs, make(), b"signed, Ada")).must_be(400)


@check("XAPI-00116")
async def another_payload(lrs: Lrs) -> None:
    """The payload of a signature is the statement"""
    statement = make()
    (await post_signed(lrs, statement, await sign(make(id=statement["id"])))).must_be(400)
    (await post_signed(lrs, statement, await sign("no statement"))).must_be(400)


@check("XAPI-00117")
async def another_algorithm(lrs: Lrs) -> None:
    """A signature uses RS256, RS384 or RS512"""
    for algorithm in ("HS256", "none"):
        statement = make()
        (await post_signed(lrs, statement, await sign(statement, algorithm))).must_be(400)


def _encode(text: bytes) -> bytes:
    return base64.urlsafe_b64encode(text).rstrip(b"=")
