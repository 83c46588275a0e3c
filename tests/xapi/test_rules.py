"""Every rule, by its own cases, under both versions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobgate.conformance.cases import APART, BOTH, CASES, Apart, Edit, edit
from jobgate.conformance.samples import ACCOUNT, AGENT, FULL, GROUP, SHA1, SUB_STATEMENT, USUAL
from jobgate.xapi.rules import Rule
from jobgate.xapi.statements import validate
from jobgate.xapi.violations import Version

DOCS = (Path(__file__).parents[2] / "docs" / "xapi.md").read_text(encoding="utf-8")

VERSIONS = pytest.mark.parametrize("version", BOTH)


def list_rules(statement: Any, version: Version) -> set[str]:
    return {violation.rule for violation in validate(statement, version)}


def walk_cases(kind: str) -> Iterator[Any]:
    for rule, cases in CASES.items():
        for number, change in enumerate([*getattr(cases, kind), *getattr(cases, f"open_{kind}")]):
            for version in cases.versions:
                yield pytest.param(rule, change, version, id=f"{rule.name}-{number}-{version}")


@VERSIONS
@pytest.mark.parametrize(
    "statement", [USUAL, FULL, {**FULL, "object": SUB_STATEMENT, "context": {}}], ids=["usual", "full", "sub"]
)
def test_the_samples_are_valid(statement: Any, version: Version) -> None:
    assert validate(statement, version) == []


@pytest.mark.parametrize(("rule", "change", "version"), list(walk_cases("accepted")))
def test_what_a_rule_accepts_is_valid(rule: Rule, change: Edit, version: Version) -> None:
    assert validate(edit(FULL, change), version) == []


@pytest.mark.parametrize(("rule", "change", "version"), list(walk_cases("refused")))
def test_what_a_rule_refuses_breaks_that_rule_only(rule: Rule, change: Edit, version: Version) -> None:
    found = list_rules(edit(FULL, change), version)

    assert rule in found
    assert found <= {rule} | CASES[rule].also


@pytest.mark.parametrize("rule", list(Rule), ids=lambda rule: rule.name)
def test_every_rule_has_cases_of_both_kinds_and_is_documented(rule: Rule) -> None:
    assert CASES[rule].accepted
    assert [*CASES[rule].refused, *CASES[rule].open_refused]
    assert f"| `{rule}` | {rule.requirement} |" in DOCS


@pytest.mark.parametrize(
    ("version", "apart"),
    [
        pytest.param(version, apart, id=f"{version}-{number}")
        for version in BOTH
        for number, apart in enumerate(APART[version])
    ],
)
def test_what_one_version_allows_is_refused_by_the_other(version: Version, apart: Apart) -> None:
    statement = edit(FULL, apart.change)
    (other,) = set(BOTH) - {version}

    assert validate(statement, version) == []
    assert list_rules(statement, other) == {apart.rule}


IDENTIFIERS = ({"mbox": "mailto:a@b.example"}, {"mbox_sha1sum": SHA1}, {"openid": "urn:x"}, ACCOUNT)
BROKEN: tuple[tuple[Any, Rule], ...] = (
    ({"mbox": "x"}, Rule.mbox),
    ({"mbox_sha1sum": {}}, Rule.mbox_sha1sum),
    ({"openid": 5}, Rule.openid),
    ({"account": {"homePage": "urn:x"}}, Rule.account_name),
    ({**AGENT, **ACCOUNT}, Rule.agent_identifier),
    ({**AGENT, "name": 5}, Rule.actor_name),
    ({**AGENT, "objectType": "agent"}, Rule.value_case),
    ({**AGENT, "objectType": "Person"}, Rule.actor_kind),
)


def place_agent(place: str, agent: Any) -> Any:
    """The full statement with an Agent at one of the places that Agents have."""
    if place == "object":
        return edit(FULL, {"object": {"objectType": "Agent", **agent}, "context": {}})
    if place.startswith("sub/"):
        sub = edit(SUB_STATEMENT, {"context/contextAgents": []} if "Agents" in place else {})
        return edit(FULL, {"object": put(sub, place.removeprefix("sub/"), agent), "context": {}})
    return put(FULL, place, agent)


def put(statement: Any, place: str, agent: Any) -> Any:
    if place.endswith("contextAgents"):
        return edit(statement, {place: [{"objectType": "contextAgent", "agent": agent}]})
    if place.endswith("contextGroups"):
        group = {"objectType": "Group", "member": [agent]}
        return edit(statement, {place: [{"objectType": "contextGroup", "group": group}]})
    if place.endswith("member"):
        return edit(statement, {place.removesuffix("/member"): {**GROUP, "member": [AGENT, agent]}})
    return edit(statement, {place: agent})


PLACES = (
    "actor",
    "actor/member",
    "authority",
    "authority/member",
    "context/instructor",
    "context/instructor/member",
    "context/team/member",
    "context/contextAgents",
    "context/contextGroups",
    "sub/actor",
    "sub/actor/member",
    "sub/context/instructor",
    "sub/context/team/member",
    "sub/context/contextAgents",
    "sub/context/contextGroups",
)


@pytest.mark.parametrize("place", [*PLACES, "object"])
def test_an_agent_is_an_agent_wherever_it_stands(place: str) -> None:
    for agent in IDENTIFIERS:
        assert validate(place_agent(place, agent), "2.0.0") == []


@pytest.mark.parametrize("place", PLACES)
def test_a_broken_agent_is_found_wherever_it_stands(place: str) -> None:
    for agent, rule in BROKEN:
        assert list_rules(place_agent(place, agent), "2.0.0") == {rule}


def test_all_violations_are_told_with_their_places() -> None:
    statement = edit(
        FULL,
        {
            "actor": {"objectType": "Group", "member": [AGENT, {"name": 5}]},
            "verb/id": "x",
            "context/contextActivities/parent/0/id": 5,
            "context/extensions": {"no iri": 1},
            "result/score/scaled": 2,
        },
    )

    found = {(path, rule) for path, rule, _ in validate(statement, "1.0.3")}

    assert found == {
        ("$.actor.member[1]", "XAPI-00034"),
        ("$.actor.member[1].name", "XAPI-00033"),
        ("$.verb.id", "XAPI-00011"),
        ("$.context.contextActivities.parent[0].id", "XAPI-00047"),
        ("$.context.extensions['no iri']", "XAPI-00118"),
        ("$.result.score.scaled", "XAPI-00083"),
    }
