"""The members of families, by number: made when they are asked for, so that a large family costs nothing."""

from __future__ import annotations

from typing import Any

from jobgate.xapi.seeding.chance import Chance
from jobgate.xapi.seeding.configuration import Agents, Groups, Kind, Seeding

HOME = "https://seeding.example"

FIRST = (
    "Ada", "Amin", "Berta", "Boris", "Carla", "Chen", "Dana", "Diego", "Edith", "Emil", "Fatou", "Felix", "Grete",
    "Hugo", "Ines", "Ivan", "Jana", "Karim", "Leila", "Lukas", "Mara", "Nils", "Olga", "Pavel", "Rosa", "Sven", "Tara",
    "Umar", "Vera", "Wim", "Yuki",
)  # fmt: skip
LAST = (
    "Adler", "Bauer", "Costa", "Dubois", "Eriksen", "Fischer", "Garcia", "Haddad", "Ito", "Jansen", "Kaya", "Lopez",
    "Moreau", "Novak", "Okafor", "Petrov", "Quist", "Rossi", "Sato", "Tanaka", "Urban", "Varga", "Weber", "Young",
    "Zeman", "Öberg", "Ångström", "Škoda", "Ørsted",
)  # fmt: skip


class Families:
    """The families of a configuration."""

    def __init__(self, seeding: Seeding) -> None:
        self._seeding = seeding
        self._verbs = {name: [_make_verb(iri) for iri in verbs.ids] for name, verbs in seeding.verbs.items()}

    def draw_agent(self, chance: Chance, families: tuple[str, ...]) -> dict[str, Any]:
        """An agent of one of these families."""
        name = chance.choose(families)
        return make_agent(self._seeding.agents[name], name, chance.below(self._seeding.agents[name].count))

    def draw_group(self, chance: Chance, families: tuple[str, ...]) -> dict[str, Any]:
        """A group of one of these families."""
        name = chance.choose(families)
        family = self._seeding.groups[name]
        return make_group(family, name, chance.below(family.count), self._seeding.agents[family.agents])

    def draw_verb(self, chance: Chance, families: tuple[str, ...]) -> dict[str, Any]:
        """A verb of one of these families."""
        return chance.choose(self._verbs[chance.choose(families)])

    def draw_activity(self, chance: Chance, families: tuple[str, ...]) -> dict[str, Any]:
        """An activity of one of these families, with its definition."""
        name = chance.choose(families)
        family = self._seeding.activities[name]
        number = chance.below(family.count) + 1
        definition = {"name": {"en": f"{name} {number}"}, "type": family.type}
        return {"objectType": "Activity", "id": f"{HOME}/activities/{name}/{number}", "definition": definition}


def make_agent(family: Agents, name: str, number: int) -> dict[str, Any]:
    """The agent of a family with this number, from 0 on."""
    full_name = f"{FIRST[number % len(FIRST)]} {LAST[number % len(LAST)]}"
    kind = family.types[number % len(family.types)]
    return {"objectType": "Agent", "name": full_name, **_identify(kind, name, "agent", number + 1)}


def make_group(family: Groups, name: str, number: int, agents: Agents) -> dict[str, Any]:
    """The group of a family with this number, from 0 on; its members are neighbours in their family, and all differ."""
    first = Chance(f"group/{name}/{number}".encode()).below(agents.count)
    places = (first + place for place in range(family.members))
    return {
        "objectType": "Group",
        "name": f"Group {number + 1}",
        **_identify(family.type, name, "group", number + 1),
        "member": [make_agent(agents, family.agents, place % agents.count) for place in places],
    }


def _identify(kind: Kind, family: str, what: str, number: int) -> dict[str, Any]:
    if kind == "mbox":
        return {"mbox": f"mailto:{family}-{what}-{number}@seeding.example"}
    if kind == "openid":
        return {"openid": f"{HOME}/{what}s/{family}/{number}"}
    return {"account": {"homePage": HOME, "name": f"{family}-{what}-{number}"}}


def _make_verb(iri: str) -> dict[str, Any]:
    name = iri.rstrip("/").rpartition("/")[2].rpartition("#")[2].rpartition(":")[2]
    return {"id": iri, "display": {"en": name or iri}}
