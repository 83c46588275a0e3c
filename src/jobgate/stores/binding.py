"""What saved jobs are bound to: the store that they work on, the service, and whatever else they name.

Parameters that name something check it themselves when they are saved: they have `require`.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from jobgate.db import Transaction
from jobgate.errors import ApiError, Code
from jobgate.schedule import Schedule
from jobgate.stores.spaces import Slug, keep_store

Service = Literal["all", "statements", "activities", "agents", "activity-profiles", "agent-profiles", "states"]

SERVICES: tuple[Service, ...] = (
    "activities",
    "agents",
    "statements",
    "activity-profiles",
    "agent-profiles",
    "states",
)
"""What `all` stands for, in the order in which a job goes through them."""


class OfStore:
    """Parameters of jobs on a store: a struct with this beside its base has `store: Slug`, or `Slug | None`."""

    __slots__ = ()

    store: Slug | None


class OfEachStore(OfStore):
    """The same with `store: Slug | None = None`; without one there is a job for each store that is ready."""

    __slots__ = ()


@runtime_checkable
class Naming(Protocol):
    """Parameters that name what must be there."""

    async def require(self, db: Transaction, organisation_id: int) -> None:
        """Raise 200xx naming the parameter that names nothing."""


ONCE = frozenset({"stores-deletion"})
"""Types of jobs that can be done once only."""


class Binding(NamedTuple):
    """What a saved job works on."""

    store_id: int | None
    service: str | None


def require_schedule(type: str, schedule: Schedule | None) -> None:
    """Raise 20004 for a schedule that would run again and again what can be done once only."""
    if type in ONCE and schedule is not None and schedule.repeat not in ("now", "on"):
        raise ApiError(Code.unsupported_value, f"`repeat` must be now or on for jobs of the type {type}")


async def bind(db: Transaction, organisation_id: int, type: str, params: Any) -> Binding:
    """What these parameters name. Raises 200xx naming the parameter that names nothing."""
    store_id = None
    if isinstance(params, OfEachStore) and params.store is None:
        raise ApiError(Code.missing_parameter, f"`store` must be given here; jobs/{type} saves a job for each store")
    if isinstance(params, OfStore) and params.store is not None:
        store_id = (await keep_store(db, organisation_id, params.store)).id
    if isinstance(params, Naming):
        await params.require(db, organisation_id)
    return Binding(store_id, getattr(params, "service", None))


def services_of(service: Service) -> tuple[Service, ...]:
    """The services that are meant."""
    return SERVICES if service == "all" else (service,)
