"""Statements are found as the standard says: the walks find what a plain reading of its rules finds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from jobgate import wire
from jobgate.stores import finding
from jobgate.stores.finding import Filters, Span, Spot, find_spots
from jobgate.testing import House
from jobgate.xapi.identifiers import identify
from tests.stored_statements import look, make, record, void

AGENTS: list[dict[str, Any]] = [
    {"mbox": "mailto:ann@school.example"},
    {"account": {"homePage": "https://school.example", "name": "ben"}},
    {"objectType": "Group", "mbox": "mailto:class@school.example", "member": [{"mbox": "mailto:ann@school.example"}]},
    {"openid": "https://cleo.example"},
]
ANONYMOUS = {"objectType": "Group", "member": [AGENTS[1], AGENTS[3]]}
ACTIVITIES = [{"id": f"https://school.example/quiz/{number}"} for number in range(3)]
VERBS = [{"id": f"http://adlnet.gov/expapi/verbs/{name}"} for name in ("answered", "passed")]
REGISTRATIONS = [f"10000000-0000-4000-8000-{number:012}" for number in range(2)]
COUNT = 60


class Dice(random.Random):
    """Statements at random, with every place that agents, activities and references have."""

    def statement(self, number: int) -> dict[str, Any]:
        """One of a store of `COUNT`, which may refer to any other, to itself, and to what is not there."""
        if self.random() < 0.1:
            return void(number, self.randrange(COUNT))
        about = self.about(within=False)
        return (
            make(number, actor=self.choice([*AGENTS, ANONYMOUS]), verb=self.choice(VERBS), object=about) | self.rest()
        )

    def about(self, *, within: bool) -> dict[str, Any]:
        """An object."""
        kind = self.random()
        if kind < 0.35:
            return {"objectType": "StatementRef", "id": make(self.randrange(COUNT + 5))["id"]}
        if kind < 0.5 and not within:
            who = self.choice([*AGENTS, ANONYMOUS])
            inner = {"objectType": "SubStatement", "actor": who, "verb": VERBS[0], "object": self.about(within=True)}
            return inner | self.rest()
        if kind < 0.6:
            return {"objectType": "Agent"} | self.choice(AGENTS)
        return self.choice(ACTIVITIES)

    def rest(self) -> dict[str, Any]:
        """A context, or none."""
        context: dict[str, Any] = {}
        if self.random() < 0.3:
            context["registration"] = self.choice(REGISTRATIONS)
        if self.random() < 0.2:
            context["instructor"] = self.choice([*AGENTS, ANONYMOUS])
        if self.random() < 0.1:
            context["team"] = self.choice([AGENTS[2], ANONYMOUS])
        if self.random() < 0.2:
            context["contextActivities"] = {self.choice(["parent", "other"]): [self.choice(ACTIVITIES)]}
        return {"context": context} if context else {}


@dataclass
class Kept:
    """A statement of the store."""

    spot: Spot
    raw: dict[str, Any]
    voided: bool
    targeting: bool


@dataclass(kw_only=True)
class Asked:
    """The parameters of the standard."""

    agent: dict[str, Any] | None = None
    related_agents: bool = False
    verb: str | None = None
    activity: str | None = None
    related_activities: bool = False
    registration: str | None = None

    def is_met(self, raw: dict[str, Any]) -> bool:
        """Whether a statement itself has all that is asked for."""
        verb, registration = raw["verb"]["id"], raw.get("context", {}).get("registration")
        return (
            (self.verb is None or verb == self.verb)
            and (self.registration is None or registration == self.registration)
            and (self.agent is None or identify(self.agent) in set(map(identify, agents(raw, self.related_agents))))
            and (self.activity is None or self.activity in set(activities(raw, self.related_activities)))
        )

    @property
    def filters(self) -> Filters:
        """The same for the store."""
        return Filters.read(
            agent=None if self.agent is None else identify(self.agent),
            related_agents=self.related_agents,
            verb=self.verb,
            activity=self.activity,
            related_activities=self.related_activities,
            registration=None if self.registration is None else UUID(self.registration),
        )


def agents(raw: dict[str, Any], related: bool) -> Iterator[dict[str, Any]]:
    """Who is found in a statement: actor and object, and all others where related ones are asked for."""
    about = raw["object"]
    found = [raw["actor"], about] if about.get("objectType") in ("Agent", "Group") else [raw["actor"]]
    if related:
        found += [raw.get("authority"), raw.get("context", {}).get("instructor"), raw.get("context", {}).get("team")]
        if about.get("objectType") == "SubStatement":
            found += agents(about, related=True)
    for each in found:
        if each is not None:
            yield each
            yield from each.get("member", [])


def activities(raw: dict[str, Any], related: bool) -> Iterator[str]:
    """The activities that are found in a statement."""
    about = raw["object"]
    if about.get("objectType", "Activity") == "Activity":
        yield about["id"]
    if related:
        for each in raw.get("context", {}).get("contextActivities", {}).values():
            yield from (activity["id"] for activity in each)
        if about.get("objectType") == "SubStatement":
            yield from activities(about, related=True)


def leads_there(kept: Kept, store: dict[str, Kept], asked: Asked) -> bool:
    """Whether a statement has what is asked for, or refers to one that leads there."""
    seen: set[str] = set()
    while not asked.is_met(kept.raw):
        about = kept.raw["object"]
        target = about["id"] if about.get("objectType") == "StatementRef" else None
        if not kept.targeting or target not in store or target in seen:
            return False
        seen.add(target)
        kept = store[target]
    return True


async def fill(house: House, seed: int) -> dict[str, Kept]:
    """The store `main`, with statements in an order of their own; some of them do not lead anywhere."""
    await house.call("xapi/stores", "set", {"slug": "main"})
    dice = Dice(seed)
    statements = [dice.statement(number) for number in range(COUNT)]
    dice.shuffle(statements)
    for start in range(0, COUNT, 15):
        done = await record(house, statements[start : start + 15], query_targeting=start != 30)
        assert len(done["accepted"]) > 5
    rows = await look(house, "select * from xapi_statement order by stored, number")
    return {
        str(row["id"]): Kept(
            (row["stored"], row["number"]), wire.decode(row["raw"], dict[str, Any]), row["voided"], row["targeting"]
        )
        for row in rows
    }


def expect(store: dict[str, Kept], asked: Asked, span: Span) -> list[Spot]:
    """What a plain reading finds."""
    found = [
        kept.spot
        for kept in store.values()
        if (span.since is None or kept.spot[0] > span.since)
        and (span.until is None or kept.spot[0] <= span.until)
        and not kept.voided
        and leads_there(kept, store, asked)
    ]
    return sorted(found, reverse=not span.ascending)


def ask(dice: Dice, times: list[datetime]) -> tuple[Asked, Span]:
    """Any of the filters, beside each other."""
    asked = Asked(
        agent=dice.choice([None, *AGENTS]),
        related_agents=dice.random() < 0.5,
        verb=dice.choice([None, None, *(verb["id"] for verb in VERBS)]),
        activity=dice.choice([None, None, *(activity["id"] for activity in ACTIVITIES)]),
        related_activities=dice.random() < 0.5,
        registration=dice.choice([None, None, None, *REGISTRATIONS]),
    )
    since, until = dice.choice([None, dice.choice(times)]), dice.choice([None, dice.choice(times)])
    return asked, Span(since=since, until=until, ascending=dice.random() < 0.5)


@pytest.mark.parametrize(
    ("seed", "bounds"), [(1, (10_000, 1000, 1000)), (2, (7, 3, 0)), (3, (40, 2, 20))], ids=["usual", "short", "few"]
)
async def test_a_walk_finds_what_the_standard_says(
    house: House, monkeypatch: pytest.MonkeyPatch, seed: int, bounds: tuple[int, int, int]
) -> None:
    for name, value in zip(("MAX_LOOKED_AT", "_WALK", "_FEW"), bounds, strict=True):
        monkeypatch.setattr(finding, name, value)
    store = await fill(house, seed)
    dice = Dice(seed)
    times = [kept.spot[0] for kept in store.values()]
    answered = 0

    async with house.db.reading(1) as db:
        for _ in range(60):
            asked, span = ask(dice, times)
            limit, spots, after, pages = dice.choice([1, 4, 100]), list[Spot](), None, 0
            while pages == 0 or after is not None:
                span = Span(since=span.since, until=span.until, ascending=span.ascending, after=after)
                found = await find_spots(db, 1, 1, asked.filters, span, limit)
                assert len(found.spots) <= limit
                spots, after, pages = spots + found.spots, found.reached, pages + 1

            assert spots == expect(store, asked, span), (asked, span)
            answered += len(spots)
    assert answered > 200


async def test_a_long_chain_is_followed_and_a_circle_ends(house: House) -> None:
    await house.call("xapi/stores", "set", {"slug": "main"})
    references = [{"objectType": "StatementRef", "id": make(number)["id"]} for number in range(130)]
    chain = [make(0), *(make(number, object=references[number - 1], verb=VERBS[1]) for number in range(1, 130))]
    circle = [
        make(number, object={"objectType": "StatementRef", "id": make(401 - number)["id"]}) for number in (200, 201)
    ]
    await record(house, chain + circle)

    asked = Asked(activity="https://school.example/quiz/1").filters
    async with house.db.reading(1) as db:
        found = await find_spots(db, 1, 1, asked, Span(), 1000)
        lost = await find_spots(db, 1, 1, Asked(activity="https://school.example/none").filters, Span(), 1000)

    assert len(found.spots) == finding.MAX_STEPS + 1
    assert lost.spots == []
