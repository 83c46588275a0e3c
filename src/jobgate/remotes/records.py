"""Export records: what a line of a file is, for each service. A line may also be a bare statement.

Dumps of search engines wrap a record in `_source`; that is looked through.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar, get_args

import msgspec
from msgspec import UNSET, Raw, UnsetType

from jobgate import wire
from jobgate.xapi.instants import read_instant

Service = Literal["activities", "agents", "statements", "activity-profiles", "agent-profiles", "states"]
SERVICES: tuple[Service, ...] = get_args(Service)
"""In the order in which they are pulled and pushed where all of them are."""

Flag = Literal["base64"]


class Unreadable(Exception):
    """The line is no record; the text says why, and repeats nothing of it."""


class _Record(msgspec.Struct, frozen=True, kw_only=True):
    """What every record has."""

    id: str | int | None = None
    """Of the row that it was made from; means nothing elsewhere but for statements."""
    store: str | None = None
    """The slug of the store that it comes from."""
    stored: str | None = None

    @property
    def stored_at(self) -> datetime | None:
        """When it was recorded, as far as it says."""
        return read_time(self.stored)


class StatementRecord(_Record, frozen=True, kw_only=True):
    """A statement with what a store knows about it."""

    pseudonymized: bool = False
    client: str | None = None
    statement: Raw


class ActivityRecord(_Record, frozen=True, kw_only=True):
    """An activity of the catalogue."""

    updated: str | None = None
    activity: Raw


class AgentRecord(_Record, frozen=True, kw_only=True):
    """An agent of the catalogue."""

    updated: str | None = None
    agent: Raw


class _Document(_Record, frozen=True, kw_only=True):
    """What documents have."""

    updated: str | None = None
    content: Raw
    """The text of a document. JSON that is no string is the document itself."""
    content_type: str = "application/octet-stream"
    content_encoding: Flag | UnsetType = UNSET
    """`base64` where a document is not text in UTF-8."""

    def read_content(self) -> bytes:
        """The document; raises `Unreadable`."""
        text = bytes(self.content)
        if not text.startswith(b'"'):
            return text
        with _reading():
            string: str = wire.decode(text, str)
        if self.content_encoding is UNSET:
            return string.encode()
        try:
            return base64.b64decode(string, validate=True)
        except ValueError:
            raise Unreadable("the content is not base64") from None


class StateRecord(_Document, frozen=True, kw_only=True):
    """A document of an activity and an agent."""

    activity_iri: str
    state_id: str
    registration: uuid.UUID | None = None
    agent: Raw


class AgentProfileRecord(_Document, frozen=True, kw_only=True):
    """A document of an agent."""

    profile_id: str
    agent: Raw


class ActivityProfileRecord(_Document, frozen=True, kw_only=True):
    """A document of an activity."""

    activity_iri: str
    profile_id: str


DocumentRecord = StateRecord | AgentProfileRecord | ActivityProfileRecord
AnyRecord = StatementRecord | ActivityRecord | AgentRecord | DocumentRecord

RECORDS: dict[Service, type[AnyRecord]] = {
    "statements": StatementRecord,
    "activities": ActivityRecord,
    "agents": AgentRecord,
    "states": StateRecord,
    "agent-profiles": AgentProfileRecord,
    "activity-profiles": ActivityProfileRecord,
}

R = TypeVar("R", bound=_Record)


def read_statement(text: bytes) -> StatementRecord:
    """The statement on a line, bare or in a record; raises `Unreadable`. Whether it is valid is another question."""
    with _reading():
        text, names = _unwrap(text)
        if "statement" in names:
            return wire.decode(text, StatementRecord)
        heading = wire.decode(text, _Heading)
        return StatementRecord(id=_as_text(heading.id), stored=_as_text(heading.stored), statement=Raw(text))


def read_record(text: bytes, kind: type[R]) -> R:
    """The record on a line; raises `Unreadable`."""
    with _reading():
        return wire.decode(_unwrap(text)[0], kind)


def write_content(content: bytes) -> dict[str, Any]:
    """What a record says of the content of a document."""
    try:
        text = content.decode()
        return {"content": Raw(wire.encode(text))}
    except UnicodeDecodeError:
        encoded = base64.b64encode(content).decode()
        return {"content": Raw(wire.encode(encoded)), "content_encoding": "base64"}


def write_record(record: AnyRecord) -> bytes:
    """A record as a line, with its end."""
    return wire.encode(record) + b"\n"


def read_time(text: str | None) -> datetime | None:
    """A time as records and statements have it; None where it is none."""
    return None if text is None else read_instant(text, is_2=False)


def write_time(moment: datetime) -> str:
    """A time as records have it: to the microsecond, so that nothing falls behind its own cursor."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class _Heading(msgspec.Struct, frozen=True):
    """What a bare statement tells of itself, right or wrong."""

    id: Any = None
    stored: Any = None


def _as_text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _unwrap(text: bytes) -> tuple[bytes, Collection[str]]:
    """A record and its names."""
    names = wire.decode(text, dict[str, Raw])
    if "_source" not in names:
        return text, names
    text = bytes(names["_source"])
    return text, wire.decode(text, dict[str, Raw])


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except RecursionError:
        raise Unreadable("the line is nested too deep") from None
    except msgspec.ValidationError:
        raise Unreadable("the line is not a record of its service") from None
    except (msgspec.DecodeError, UnicodeError):
        raise Unreadable("the line is not JSON") from None
