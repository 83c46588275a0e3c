"""Hints: the only words that cross Redis, and how anything else is told from them. Never pickle.

A hint says "look at Postgres" and carries nothing to act upon, so a forged one can do no harm but a look.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

HINT_BYTES = 256
REFERENCE_CHARS = 48
FUNCTION = "hint"


class Hint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """There is work. `job` is for people who look at the queue; whoever hears takes what Postgres has."""

    v: Literal[1]
    queue: Literal["jobs"]
    job: Annotated[str, Meta(max_length=REFERENCE_CHARS)]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An arq message with a hint in it, and nothing that arq would stumble over later."""

    t: None
    f: Literal["hint"]
    a: tuple[Hint]
    k: Annotated[dict[str, None], Meta(max_length=0)]
    et: Annotated[int, Meta(ge=0, le=100_000_000_000_000)]


def make_hint(job_reference: str) -> Hint:
    """A hint about a job."""
    return Hint(1, "jobs", job_reference[:REFERENCE_CHARS])


def encode(message: dict[str, Any]) -> bytes:
    """What arq says, as msgpack of plain types; an error becomes its text."""
    return _encoder.encode(message)


def decode(raw: bytes) -> dict[str, Any]:
    """The call that `raw` stands for; anything but a hint becomes a function that no worker knows, and never raises."""
    try:
        if len(raw) <= HINT_BYTES:
            return msgspec.structs.asdict(_decoder.decode(raw))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass  # arq drops a call of an unknown function without a traceback per message
    return {"t": None, "f": "not a hint", "a": (), "k": {}, "et": 0}


_encoder = msgspec.msgpack.Encoder(enc_hook=lambda value: str(value)[:HINT_BYTES])
_decoder = msgspec.msgpack.Decoder(Message)
