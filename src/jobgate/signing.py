"""Signatures: bytes, keys and time in, a verdict out.

The signed text joins its elements with `_` and without lengths, so text moved from one element to its neighbour signs
the same. The strict shapes that `read_security` asks for are what makes the joint unambiguous; they are not cosmetics.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from hmac import digest as hmac_digest

import msgspec

from jobgate.errors import ApiError, Code

MAX_SECURITY_BYTES = 4096
MAX_USER_ID_CHARS = 50
MAX_DOMAIN_CHARS = 255
PREFIX_V2 = "$02$"


class Packet(msgspec.Struct, frozen=True):
    """The `security` field: who asks, from where, when. `None` is "not in the packet" and is not signed."""

    consumer_key: str
    timestamp: str
    signature: str = ""
    domain: str | None = None
    expires: str | None = None
    user_id: str | None = None


class _Security(msgspec.Struct):
    """The packet before anything is known about it. Other keys are not signed, so they are not read."""

    consumer_key: str | None = None
    domain: str | None = None
    timestamp: str | None = None
    signature: str | None = None
    expires: str | None = None
    user_id: str | int | None = None  # PHP and Ruby let a number through, and sign its digits


_decode_security = msgspec.json.Decoder(_Security).decode
_decode_flat = msgspec.json.Decoder(dict[str, str | float | bool | None]).decode

CONSUMER_KEY = re.compile(r"[0-9A-Za-z]{16,64}")
DOMAIN = re.compile(rf"[^_\x00-\x20\x7f]{{1,{MAX_DOMAIN_CHARS}}}")
STAMP = re.compile(r"[0-9]{8}-[0-9]{4}")
USER_ID = re.compile(rf"(?!{STAMP.pattern}(?:_|\Z))[^\x00-\x1f\x7f]{{0,{MAX_USER_ID_CHARS}}}")
"""A user id that is or begins with a stamp could be the `expires` of an old packet under another name."""

PLACE = re.compile(r"at `\$(?:\.(\w+)|\[)")
"""Where msgspec found the wrong type: a name, or any other place; absent when the text as a whole is at fault."""

SIGNATURE_V1 = re.compile(r"[0-9a-f]{64}")
OTHER_SCHEME = re.compile(r"\$(?!02)[0-9]{2}\$")


def read_security(raw: bytes | None) -> Packet:
    """The packet in `raw`, every element in its documented form: else 41000 (missing), 41001 (form) or 41006."""
    if not raw:
        raise _missing("security")
    if len(raw) > MAX_SECURITY_BYTES:
        raise _malformed("security", f"must not be longer than {MAX_SECURITY_BYTES} bytes")
    try:
        found = _decode_security(raw)
        if b"[" in raw or raw.count(b"{") > 1:
            _decode_flat(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        place = PLACE.search(str(error))
        if place and place[1]:
            raise _malformed(place[1], "must be a string") from None
        if place:
            raise _malformed("security", "must not hold arrays or objects") from None
        raise _missing(*NAMES, why=": the security field is not a JSON object") from None

    consumer_key, domain, timestamp, signature = found.consumer_key, found.domain, found.timestamp, found.signature
    if consumer_key is None or domain is None or timestamp is None or signature is None:
        raise _missing(*(name for name in NAMES if getattr(found, name) is None))
    if not CONSUMER_KEY.fullmatch(consumer_key):
        raise _malformed("consumer_key", "must be 16 to 64 letters and digits")
    if not DOMAIN.fullmatch(domain):
        raise _malformed("domain", "must be a host name without underscore")
    if not STAMP.fullmatch(timestamp):
        raise _malformed("timestamp", "must be GMT in the form YYYYMMDD-HHMM")
    if len(signature) not in (64, 68) and not OTHER_SCHEME.match(signature):
        raise _malformed("signature", "must be 68 characters")
    user_id = found.user_id if found.user_id is None else str(found.user_id)
    if user_id is not None and not USER_ID.fullmatch(user_id):
        raise _malformed("user_id", f"must be at most {MAX_USER_ID_CHARS} characters and not begin with a timestamp")
    # An empty string stands for "never" in some clients and is signed by others: `verify` tries both.
    if found.expires and not STAMP.fullmatch(found.expires):
        raise ApiError(Code.expires_malformed, "`expires` must be GMT in the form YYYYMMDD-HHMM")
    return Packet(consumer_key, timestamp, signature, domain, found.expires, user_id)


NAMES = ("consumer_key", "domain", "timestamp", "signature")


def canonical(packet: Packet, request: bytes | None, action: bytes | None, *, secret: str | None = None) -> bytes:
    """The text that is signed. `request` and `action` are the bytes as posted; `secret` is part of scheme v1 only."""
    elements = (packet.consumer_key, packet.domain, packet.timestamp, packet.expires, packet.user_id, secret)
    text = "_".join([element for element in elements if element is not None]).encode()
    if request is not None:
        text = b"%b_%b" % (text, request)
    return text if action is None else b"%b_%b" % (text, action)


def sign(packet: Packet, secret: str, request: bytes | None, action: bytes | None) -> str:
    """The signature (scheme v2) that belongs into `packet`; the one that is in it does not count."""
    return PREFIX_V2 + _digest_v2(secret, canonical(packet, request, action)).hex()


def verify(
    packet: Packet,
    secrets: Sequence[str],
    request: bytes | None,
    action: bytes | None,
    *,
    accept_v1: bool = False,
) -> int | None:
    """Which of `secrets` signed this packet, or None. All are tried, in constant time, whichever fits."""
    signature = packet.signature
    is_v2 = signature.startswith(PREFIX_V2) and signature.isascii()
    if not is_v2 and not (accept_v1 and SIGNATURE_V1.fullmatch(signature)):
        return None
    if request is None and packet.user_id and packet.user_id[-1] in "}]":
        # The request, moved into the user id, would leave the call without parameters.
        return None
    packets = [packet]
    if packet.expires == "" or packet.user_id == "":
        packets.append(msgspec.structs.replace(packet, expires=packet.expires or None, user_id=packet.user_id or None))
    match: int | None = None
    for candidate in packets:
        text = canonical(candidate, request, action) if is_v2 else b""
        for index, secret in enumerate(secrets):
            if is_v2:
                computed = PREFIX_V2 + _digest_v2(secret, text).hex()
            else:
                computed = sha256(canonical(candidate, request, action, secret=secret)).hexdigest()
            if compare_digest(computed, signature):
                match = index
    return match


def check_time(packet: Packet, now_s: float, skew_s: float) -> None:
    """Refuse a timestamp further than `skew_s` from now (41004) and a packet past its `expires` (41006, 41007)."""
    sent_s = _read_stamp(packet.timestamp)
    if sent_s is None or abs(sent_s - now_s) > skew_s:
        raise ApiError(
            Code.timestamp_out_of_range,
            f"The timestamp {packet.timestamp} is not within {skew_s:.0f} seconds of the server's time, "
            f"{_show_time(now_s)}",
        )
    if not packet.expires:
        return
    expires_s = _read_stamp(packet.expires)
    if expires_s is None:
        raise ApiError(
            Code.expires_malformed, f"`expires` names no such time; the server's time is {_show_time(now_s)}"
        )
    if now_s > expires_s:
        raise ApiError(
            Code.expired, f"The packet expired at {packet.expires}; the server's time is {_show_time(now_s)}"
        )


def _digest_v2(secret: str, text: bytes) -> bytes:
    return hmac_digest(secret.encode(), text, "sha256")


@lru_cache(maxsize=256)
def _read_stamp(stamp: str) -> float | None:
    """`YYYYMMDD-HHMM` in GMT as Unix seconds; None where the calendar has no such minute."""
    try:
        year, month, day = int(stamp[:4]), int(stamp[4:6]), int(stamp[6:8])
        return datetime(year, month, day, int(stamp[9:11]), int(stamp[11:13]), tzinfo=UTC).timestamp()
    except ValueError:
        return None


def _show_time(now_s: float) -> str:
    return datetime.fromtimestamp(now_s, UTC).strftime("%Y%m%d-%H%M%S GMT")


def _missing(*names: str, why: str = "") -> ApiError:
    return ApiError(
        Code.security_missing,
        f"Missing security parameters{why}. Check the following parameter(s): {', '.join(names)}",
    )


def _malformed(name: str, rule: str) -> ApiError:
    return ApiError(Code.security_length, f"`{name}` {rule}")
