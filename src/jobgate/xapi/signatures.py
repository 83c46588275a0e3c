"""Signatures: a statement's attachment that says the same as the statement, signed as a compact JWS.

A certificate in its header is held against the signature. That catches mistakes, and says nothing about trust: whose it
is, and whether it counts, is not asked.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.x509 import load_der_x509_certificate

from jobgate import wire
from jobgate.xapi.attachments import SIGNATURE
from jobgate.xapi.comparison import are_equal
from jobgate.xapi.violations import Violation, show

ALGORITHMS: Mapping[str, type[HashAlgorithm]] = {"RS256": SHA256, "RS384": SHA384, "RS512": SHA512}

JWS = ("XAPI-00115", "a signature is a compact JWS, which the certificate in its header verifies")
PAYLOAD = ("XAPI-00116", "the payload of a signature is the statement")
ALGORITHM = ("XAPI-00117", "a signature uses RS256, RS384 or RS512")


class _Head(msgspec.Struct):
    alg: str
    x5c: list[str] = []


def check_signatures(statement: dict[str, Any], contents: Mapping[str, bytes]) -> list[Violation]:
    """What is wrong with the signatures of a valid statement whose contents are here, by digests in small letters."""
    violations = []
    for place, attachment in enumerate(statement.get("attachments", ())):
        content = contents.get(attachment["sha2"].lower())
        if attachment["usageType"] == SIGNATURE and content is not None:
            broken = _judge(statement, content)
            if broken is not None:
                violations.append(Violation(show(((None, "attachments"), place)), *broken))
    return violations


def _judge(statement: dict[str, Any], content: bytes) -> tuple[str, str] | None:
    """The rule that a signature breaks."""
    parts = content.split(b".")
    try:
        head, payload, signature = map(_decode, parts)
        read = wire.decode(head, _Head)
    except (ValueError, RecursionError):
        return JWS
    if read.alg not in ALGORITHMS:
        return ALGORITHM
    if read.x5c and not _is_verified(read, b".".join(parts[:2]), signature):
        return JWS
    try:
        return None if are_equal(wire.decode(payload, dict[str, Any]), statement) else PAYLOAD
    except (ValueError, TypeError, RecursionError):  # no object, or one that no statement looks like
        return PAYLOAD


def _is_verified(head: _Head, text: bytes, signature: bytes) -> bool:
    try:
        key = load_der_x509_certificate(base64.b64decode(head.x5c[0], validate=True)).public_key()
        if not isinstance(key, RSAPublicKey):
            return False
        key.verify(signature, text, PKCS1v15(), ALGORITHMS[head.alg]())
    except (ValueError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _decode(text: bytes) -> bytes:
    """Base64 for URLs, without padding."""
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from None
