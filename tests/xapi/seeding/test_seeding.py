"""The same configuration makes the same statements, to the byte, from wherever one begins; and they are all valid."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from typing import Any

import pytest

from jobgate import wire
from jobgate.conformance.cases import BOTH
from jobgate.xapi.seeding import Seeding, Sower, find_seeding
from jobgate.xapi.statements import validate
from jobgate.xapi.verbs import VOIDED
from jobgate.xapi.violations import Version

DIGESTS = {
    "default": "34693ac0921f3c303d912dca5f8f4e737f015e42977bbef94c761af6b40cbed1",
    "varied": "00f7a26dfbddeca2fceb4f3aa463f309fd9100965e45ff0607e9813a73355a46",
}
"""Of the first 2,000 statements, one a line. A change of these breaks a promise: say so in the changelog."""


def find(name: str) -> Seeding:
    """A configuration that there is."""
    seeding = find_seeding(name)
    assert seeding is not None
    return seeding


def lines(seeding: Seeding, start: int = 0, count: int = 2_000) -> list[bytes]:
    return [wire.encode(statement) for statement in Sower(seeding).make(start, count)]


def count_kinds(statements: list[dict[str, Any]]) -> Counter[str]:
    kinds: Counter[str] = Counter()
    for statement in statements:
        kind = statement["object"]["objectType"]
        kinds["voiding" if statement["verb"]["id"] == VOIDED else kind] += 1
        kinds["by a group"] += statement["actor"]["objectType"] == "Group"
        kinds["with a result"] += "result" in statement
        kinds["with an attachment"] += "attachments" in statement
    return kinds


@pytest.mark.parametrize("name", DIGESTS)
def test_a_seed_makes_the_same_bytes_everywhere(name: str) -> None:
    assert sha256(b"\n".join(lines(find(name).sow(count=2_000)))).hexdigest() == DIGESTS[name]


def test_a_statement_is_the_same_wherever_one_begins() -> None:
    seeding = find("varied")

    assert lines(seeding, 700, 50) == lines(seeding, 0, 750)[700:]


def test_statements_end_where_the_configuration_says() -> None:
    seeding = find("default").sow(count=10)

    assert len(lines(seeding, 8, 100)) == 2
    assert lines(seeding, 10, 100) == []
    assert lines(find("default").sow(count=0)) == []


@pytest.mark.parametrize("change", [{"seed": "2"}, {"count": 1_001}])
def test_what_differs_never_meets(change: Any) -> None:
    seeding = find("default")
    ours = {statement["id"] for statement in Sower(seeding).make(0, 1_000)}
    theirs = {statement["id"] for statement in Sower(seeding.sow(**change)).make(0, 1_001)}

    assert len(ours) == 1_000
    assert ours.isdisjoint(theirs)


def test_a_description_changes_nothing() -> None:
    seeding = find("default")

    assert lines(wire.decode(wire.encode(seeding).replace(b"100 agents", b"Some agents"), Seeding)) == lines(seeding)


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize("name", DIGESTS)
def test_every_statement_is_valid(name: str, version: Version) -> None:
    for statement in Sower(find(name)).make(0, 1_000):
        assert validate(statement, version) == []


def test_families_and_shares_are_what_the_configuration_says() -> None:
    statements = list(Sower(find("varied")).make(0, 10_000))

    kinds = count_kinds(statements)

    assert 80 <= kinds["voiding"] <= 120
    assert 260 <= kinds["SubStatement"] <= 340
    assert 260 <= kinds["StatementRef"] <= 340
    assert 260 <= kinds["by a group"] <= 340
    assert 5_800 <= kinds["with a result"] <= 6_200
    assert 440 <= kinds["with an attachment"] <= 560


def test_what_is_referred_to_came_before_and_what_is_voided_voids_nothing() -> None:
    statements = list(Sower(find("varied").sow(count=3_000)).make(0, 3_000))
    places = {statement["id"]: place for place, statement in enumerate(statements)}

    for place, statement in enumerate(statements):
        if statement["object"]["objectType"] == "StatementRef":
            target = places[statement["object"]["id"]]
            assert target < place
            assert statement["verb"]["id"] != VOIDED or statements[target]["verb"]["id"] != VOIDED


def test_times_fill_the_span_in_order() -> None:
    times = [statement["timestamp"] for statement in Sower(find("default")).make(0, 1_000)]

    assert times == sorted(times)
    assert times[0] == "2025-01-01T00:00:00.000Z"
    assert times[500] == "2025-07-02T12:00:00.000Z"
    assert times[-1] < "2026-01-01T00:00:00.000Z"


def test_members_of_groups_are_agents_of_their_family() -> None:
    statements = Sower(find("varied").sow(count=2_000)).make(0, 2_000)
    agents = {wire.encode(statement["actor"]) for statement in Sower(find("varied")).make(0, 10_000)}
    groups = [statement["actor"] for statement in statements if statement["actor"]["objectType"] == "Group"]

    members = [wire.encode(member) for group in groups for member in group["member"]]

    assert {len(group["member"]) for group in groups} == {25, 6}
    assert sum(member in agents for member in members) > len(members) * 0.9
