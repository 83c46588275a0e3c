"""What the actions of every type take: what all types have in common, and between it the parameters of one."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from jobgate.context import Request
from jobgate.schedule import Schedule
from jobgate.schedule.params import Repeat
from jobgate.times import Moment

MAX_RECORDS = 50

SCHEDULE = ("repeat", "date", "time", "minute", "week_day", "month_day", "month")
"""What a request says of its schedule."""


class SaveTypedJob(Request, frozen=True, kw_only=True):
    """What jobs of every type take."""

    name: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    """The name of the type when absent, or the name that it has."""
    replay: bool | None = None
    """True: one run as soon as possible, besides the schedule. False: not any more, if it waits still."""
    repeat: Repeat
    date: Moment | None = None
    """With `on`."""
    time: Annotated[str, Meta(description="`now`, or HH:MM, UTC")] | None = None
    minute: Annotated[int, Meta(description="0 to 59")] | None = None
    week_day: Annotated[int, Meta(description="1 (Monday) to 7 (Sunday)")] | None = None
    month_day: Annotated[int, Meta(description="1 to 31; months without that day are left out")] | None = None
    month: Annotated[int, Meta(description="1 to 12")] | None = None

    @property
    def schedule(self) -> Schedule:
        """When it shall run."""
        return Schedule(**{name: getattr(self, name) for name in SCHEDULE})


class GetTypedJobs(Request, frozen=True, kw_only=True):
    """Which jobs of the type to read; one must fit all filters that are given."""

    id: uuid.UUID | None = None
    store: Annotated[str, Meta(max_length=36)] | None = None
    """The slug of a store."""
    service: Annotated[str, Meta(max_length=32)] | None = None
    limit: Annotated[int, Meta(ge=1)] = MAX_RECORDS
    """At most 50; more is taken for 50."""
    next: str | None = None
    """Where to go on: what the page before answered. The other parameters must be repeated."""


class DeleteTypedJobs(Request, frozen=True, kw_only=True):
    """Which jobs of the type to delete."""

    id: uuid.UUID | None = None
    all: bool = False
    """True: all of the type that the organisation has."""


class GetTypedJobLogs(Request, frozen=True, kw_only=True):
    """Whose log to read."""

    id: uuid.UUID
    limit: Annotated[int, Meta(ge=1)] = MAX_RECORDS
    """At most 50; more is taken for 50."""
    next: str | None = None
    """Where to go on: what the page before answered."""


def make_requests(type: str, params: type[msgspec.Struct]) -> tuple[Any, Any]:
    """What set and update of a type take: structs with what all types have in common, and the parameters."""
    for name in (*SaveTypedJob.__struct_fields__, "id"):
        if name in params.__struct_fields__:
            raise TypeError(f"jobs of every type take `{name}`: {params.__name__} must call its own something else")
    title = "".join(word.capitalize() for word in type.split("-"))
    fields = [_redeclare(field) for field in msgspec.structs.fields(params)]
    new = _define(f"Set{title}Job", f"A new job of the type {type}.", fields, SaveTypedJob)
    whole = f"A job of the type {type}, and all that it shall be."
    return new, _define(f"Update{title}Job", whole, [("id", uuid.UUID)], new)


def _redeclare(field: msgspec.structs.FieldInfo) -> tuple[Any, ...]:
    if field.required:
        return field.name, field.type
    if field.default is msgspec.NODEFAULT:
        return field.name, field.type, msgspec.field(default_factory=field.default_factory)
    return field.name, field.type, field.default


def _define(name: str, promise: str, fields: list[Any], base: Any) -> Any:
    return msgspec.defstruct(
        name, fields, bases=(base,), namespace={"__doc__": promise}, module=__name__, frozen=True, kw_only=True
    )
