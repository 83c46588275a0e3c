"""Which statements a filter finds, and in which form they are given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jobgate.xapi.identifiers import Identifier, identify
from jobgate.xapi.positions import Place, walk_activities, walk_actors
from tests.lrs.kept import Keeping, Kept


@dataclass(frozen=True, slots=True)
class Filter:
    """What is asked for."""

    agent: Identifier | None = None
    verb: str | None = None
    activity: str | None = None
    registration: str | None = None
    related_agents: bool = False
    related_activities: bool = False
    since: datetime | None = None
    until: datetime | None = None

    def select(self, keeping: Keeping) -> Iterator[Kept]:
        """What fits, oldest first; what is voided never does."""
        for id, kept in keeping.statements.items():
            if self.since is not None and kept.stored <= self.since:
                continue
            if self.until is not None and kept.stored > self.until:
                continue
            if not keeping.is_voided(id) and self._finds(keeping, kept):
                yield kept

    def _finds(self, keeping: Keeping, kept: Kept, seen: frozenset[str] = frozenset()) -> bool:
        """Whether it fits, or the statement that it is about does."""
        if self._fits(kept.statement):
            return True
        about = kept.statement["object"]
        if about.get("objectType") != "StatementRef":
            return False
        id = about["id"].lower()
        target = keeping.statements.get(id)
        return target is not None and id not in seen and self._finds(keeping, target, seen | {id})

    def _fits(self, statement: dict[str, Any]) -> bool:
        if self.verb is not None and statement["verb"]["id"] != self.verb:
            return False
        context = statement.get("context", {})
        if self.registration is not None and context.get("registration", "").lower() != self.registration:
            return False
        if self.agent is not None:
            wanted = self.agent.canonical
            found = {
                identifier.canonical
                for place, actor in walk_actors(statement)
                if (place is Place.subject or self.related_agents) and (identifier := identify(actor)) is not None
            }
            if wanted not in found:
                return False
        if self.activity is not None:
            places = walk_activities(statement)
            named = {each["id"] for place, _, each in places if place is Place.subject or self.related_activities}
            return self.activity in named
        return True


def shorten(value: Any, kept: tuple[str, ...] = ()) -> Any:
    """`format=ids`: agents, activities, verbs and groups with nothing but what they are known by."""
    if not isinstance(value, dict):
        return value
    found = {name: inner for name, inner in value.items() if name in ("objectType", "id", *kept)}
    identifier = identify(value)
    if identifier is not None:
        return found | identifier.as_agent()
    if value.get("objectType") == "Group":
        return found | {"member": [shorten(member) for member in value["member"]]}
    return found


def show_ids(statement: dict[str, Any]) -> dict[str, Any]:
    """A statement with `format=ids`."""
    found = dict(statement)
    for name in ("actor", "verb", "authority"):
        if name in found:
            found[name] = shorten(found[name])
    about = found["object"]
    found["object"] = show_ids(about) if about.get("objectType") == "SubStatement" else shorten(about)
    context = found.get("context")
    if context is not None:
        found["context"] = dict(context)
        for name in ("instructor", "team"):
            if name in context:
                found["context"][name] = shorten(context[name])
        if "contextActivities" in context:
            found["context"]["contextActivities"] = {
                relation: [shorten(each) for each in activities]
                for relation, activities in context["contextActivities"].items()
            }
    return found


def show_canonical(value: Any, languages: list[str], *, is_map: bool = False) -> Any:
    """`format=canonical`: of every language map one entry."""
    if isinstance(value, list):
        return [show_canonical(each, languages) for each in value]
    if not isinstance(value, dict):
        return value
    if is_map:
        return _choose(value, languages)
    return {
        name: inner if name == "extensions" else show_canonical(inner, languages, is_map=_is_map(name, inner))
        for name, inner in value.items()
    }


def _is_map(name: str, value: Any) -> bool:
    return name in ("display", "name", "description") and isinstance(value, dict)


def _choose(texts: dict[str, str], languages: list[str]) -> dict[str, str]:
    for language in languages:
        for tag, text in texts.items():
            if tag.lower() == language or tag.lower().split("-")[0] == language:
                return {tag: text}
    return dict(list(texts.items())[:1])
