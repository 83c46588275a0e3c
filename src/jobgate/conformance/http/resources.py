"""The three resources of documents: what they are known by, and the ids of what they must do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jobgate import wire
from jobgate.conformance.checks import Run
from jobgate.conformance.lrs import Lrs, Said, make_id
from jobgate.conformance.made import make_activity, make_agent

Ids = tuple[str, ...]


@dataclass(frozen=True)
class Resource:
    """A resource of documents."""

    path: str
    section: str
    name: str
    """The parameter that names a document."""
    owner: tuple[str, ...]
    """The parameters that say whose it is."""
    ids: Mapping[str, Ids] = field(repr=False)
    """By what is asked."""

    def id_of(self, what: str) -> Ids:
        """The ids that the book has for it; empty: none."""
        return self.ids.get(what, ())

    def make_owner(self) -> dict[str, Any]:
        """Somebody new."""
        made = {"activityId": make_activity()["id"], "agent": make_agent()}
        return {name: made[name] for name in self.owner}

    def make_params(self) -> dict[str, Any]:
        """A document that is not there."""
        return self.make_owner() | {self.name: make_id()}

    async def send(
        self, lrs: Lrs, method: str, params: Mapping[str, Any], body: Any = b"", **headers: str | None
    ) -> Said:
        """Ask; a body that is no bytes is written as JSON."""
        text = body if isinstance(body, bytes) else wire.encode(body)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await lrs.ask(method, self.path, params, text, named)


OfResource = Callable[[Lrs, Resource], Awaitable[None]]
"""A check of any of them."""


def bind(run: OfResource, resource: Resource) -> Run:
    """The check of one."""

    async def bound(lrs: Lrs) -> None:
        await run(lrs, resource)

    return bound


def _number(**numbers: int | tuple[int, ...]) -> dict[str, Ids]:
    return {
        what: tuple(f"XAPI-{number:05}" for number in (some if isinstance(some, tuple) else (some,)))
        for what, some in numbers.items()
    }


STATE = Resource(
    "activities/state",
    "Communication 2.3",
    "stateId",
    ("activityId", "agent"),
    _number(
        put=(190, 230),
        post=(189, 231, 233),
        get=(188, 192, 217),
        delete=(187, 191, 216),
        list=193,
        clear=194,
        since=(195, 221, 222),
        since_invalid=204,
        merge=234,
        merge_type=232,
        merge_no_object=229,
        post_no_json=235,
        agent_PUT=199,
        agent_POST=198,
        agent_GET=197,
        agent_DELETE=196,
        registration_PUT=203,
        registration_POST=202,
        registration_GET=201,
        registration_DELETE=200,
        without_stateId_PUT=206,
        without_stateId_POST=211,
        without_activityId_PUT=210,
        without_activityId_POST=209,
        without_activityId_GET=208,
        without_activityId_DELETE=207,
        without_agent_PUT=215,
        without_agent_POST=214,
        without_agent_GET=213,
        without_agent_DELETE=212,
        registration=(218, 219, 220, 227),
    ),
)

AGENT_PROFILE = Resource(
    "agents/profile",
    "Communication 2.6",
    "profileId",
    ("agent",),
    _number(
        put=(273, 282),
        post=(272, 280, 283),
        get=(259, 269, 274),
        delete=271,
        list=270,
        since=(268, 275),
        since_invalid=260,
        merge=279,
        merge_type=278,
        merge_no_object=281,
        post_no_json=284,
        agent_PUT=257,
        agent_POST=256,
        agent_GET=258,
        agent_DELETE=255,
        without_profileId_PUT=267,
        without_profileId_POST=266,
        without_profileId_DELETE=265,
        without_agent_PUT=264,
        without_agent_POST=263,
        without_agent_GET=261,
        without_agent_DELETE=262,
    ),
)

ACTIVITY_PROFILE = Resource(
    "activities/profile",
    "Communication 2.7",
    "profileId",
    ("activityId",),
    _number(
        put=(287, 293, 311),
        post=(286, 292, 310, 312),
        get=(288, 290),
        delete=(285, 291),
        list=289,
        since=(294, 303),
        since_invalid=295,
        merge=308,
        merge_type=309,
        merge_no_object=313,
        post_no_json=314,
        without_profileId_PUT=302,
        without_profileId_POST=301,
        without_profileId_DELETE=300,
        without_activityId_PUT=299,
        without_activityId_POST=298,
        without_activityId_GET=296,
        without_activityId_DELETE=297,
    ),
)

RESOURCES = (STATE, AGENT_PROFILE, ACTIVITY_PROFILE)
