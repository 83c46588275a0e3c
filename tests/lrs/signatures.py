"""Signed statements: a JWS whose payload is the statement, verified where it brings its certificate."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from jobgate.xapi.comparison import are_equal
from tests.lrs.refusals import Refusal

SIGNATURE = "http://adlnet.gov/expapi/attachments/signature"
ALGORITHMS: dict[str, hashes.HashAlgorithm] = {
    "RS256": hashes.SHA256(),
    "RS384": hashes.SHA384(),
    "RS512": hashes.SHA512(),
}


def check_signature(statement: dict[str, Any], data: bytes) -> None:
    """Refuse a signature that is none of this statement."""
    try:
        head, payload, signature = data.split(b".")
        header = msgspec.json.decode(_decode(head), type=dict[str, Any])
        signed = msgspec.json.decode(_decode(payload), type=dict[str, Any])
        algorithm = ALGORITHMS[header["alg"]]
        if not are_equal(signed, statement):
            raise Refusal(400, "another statement is signed")
        if "x5c" in header:
            certificate = x509.load_der_x509_certificate(base64.b64decode(header["x5c"][0]))
            key = certificate.public_key()
            if not isinstance(key, RSAPublicKey):
                raise Refusal(400, "the certificate has no RSA key")
            key.verify(_decode(signature), head + b"." + payload, padding.PKCS1v15(), algorithm)
    except (ValueError, KeyError, IndexError, TypeError, msgspec.DecodeError, InvalidSignature):
        raise Refusal(400, "the signature is none") from None


def _decode(text: bytes) -> bytes:
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
