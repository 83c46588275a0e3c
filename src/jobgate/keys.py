"""The outer key: it wraps what the database must not know, and signs the URLs that are handed out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_KEY_BYTES = 32
_NONCE_BYTES = 12


class KeyUnusable(Exception):
    """The outer key is missing, malformed, or not the one that a stored value was wrapped with."""


class OuterKey:
    """32 bytes from `JOBGATE_SECRET_KEY`. Wrapping is AES-256-GCM; signing uses a key derived for that purpose."""

    def __init__(self, text: str) -> None:
        try:
            raw = base64.b64decode(text, validate=True)
        except ValueError:
            raw = b""
        if len(raw) != _KEY_BYTES:
            raise KeyUnusable(
                "JOBGATE_SECRET_KEY must be the base64 of 32 random bytes; make one with: openssl rand -base64 32"
            )
        self._cipher = AESGCM(raw)
        self._signing = hmac.digest(raw, b"jobgate upload urls", hashlib.sha256)

    @staticmethod
    def make() -> str:
        """A new key, as the setting wants it."""
        return base64.b64encode(os.urandom(_KEY_BYTES)).decode()

    def wrap(self, secret: bytes, owner: str) -> bytes:
        """Encrypt `secret` so that it opens for the same `owner` only."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, owner.encode())

    def unwrap(self, wrapped: bytes, owner: str) -> bytes:
        """Undo `wrap`; raises `KeyUnusable` for another key, another owner, or damage."""
        try:
            return self._cipher.decrypt(wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:], owner.encode())
        except InvalidTag:
            raise KeyUnusable(
                "a stored secret does not open with JOBGATE_SECRET_KEY; use the key that was set when it was made"
            ) from None

    def sign(self, text: str) -> str:
        """A hexadecimal tag over `text`."""
        return hmac.digest(self._signing, text.encode(), hashlib.sha256).hex()

    def is_signed(self, text: str, tag: str) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self.sign(text).encode(), tag.encode(errors="replace"))
