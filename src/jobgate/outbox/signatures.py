"""Signing deliveries as Standard Webhooks asks (https://www.standardwebhooks.com): its libraries verify them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import uuid
from collections.abc import Sequence

PREFIX = "whsec_"
_SECRET_BYTES = 32


def make_secret() -> str:
    """A new secret, as a listener configures it."""
    return PREFIX + base64.b64encode(os.urandom(_SECRET_BYTES)).decode()


def sign(id: str, at_s: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """The headers of a delivery that is tried at `at_s`: one signature for each secret, the newest first."""
    text = f"{id}.{at_s}.".encode() + body
    return {
        "webhook-id": id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(f"v1,{_tag(secret, text)}" for secret in secrets),
    }


def _tag(secret: str, text: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()


def secret_owner(organisation_id: int, target_id: uuid.UUID) -> str:
    """What a wrapped secret is bound to: it opens for this target only."""
    return f"push target {organisation_id} {target_id}"
