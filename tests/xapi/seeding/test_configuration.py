"""Configurations are found by name, and what nothing can be made from is refused with what is wrong."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from jobgate import wire
from jobgate.conformance.cases import GONE, Edit, edit
from jobgate.xapi.seeding import Misconfigured, Sower, find_seeding, list_seedings, read_seeding

SMALL: dict[str, Any] = {
    "agents": {"us": {"count": 3}},
    "groups": {"team": {"count": 2, "members": 2, "agents": "us"}},
    "verbs": {"did": {"ids": ["urn:x:did"]}},
    "activities": {"thing": {"type": "urn:x:thing", "count": 2}},
    "statements": {
        "count": 5,
        "since": "2026-01-01T00:00:00Z",
        "until": "2026-01-02T00:00:00+01:00",
        "agents": ["us"],
        "verbs": ["did"],
        "objects": ["thing"],
    },
}


DOCS = Path(__file__).parents[3] / "docs" / "xapi_seeding.md"


def read(changes: Edit) -> Any:
    return read_seeding(wire.encode(edit(SMALL, changes)))


def test_the_least_that_a_configuration_needs() -> None:
    statements = list(Sower(read({"groups": GONE})).make(0, 10))

    assert len(statements) == 5
    assert statements[0]["verb"] == {"id": "urn:x:did", "display": {"en": "did"}}
    assert statements[4]["timestamp"] == "2026-01-01T18:24:00.000Z"


def test_the_configuration_in_the_documentation_makes_statements() -> None:
    (printed,) = re.findall(r"```json\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)

    assert len(list(Sower(read_seeding(printed.encode())).make(0, 1_000))) == 360


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"statements": GONE}, "missing required field `statements`"),
        ({"statements/counts": 5}, "unknown field `counts`"),
        ({"statements/count": -1}, "`int` >= 0"),
        ({"statements/count": 10_000_001}, "`int` <= 10000000"),
        ({"statements/count": "5"}, "Expected `int`"),
        ({"statements/since": "2026-01-01T00:00:00"}, "timezone"),
        ({"statements/since": "2026-01-03T00:00:00Z"}, "since must be before"),
        ({"statements/since": "0001-01-01T00:00:00Z"}, "the year 1000"),
        ({"statements/agents": []}, "statements.agents must name a family"),
        ({"statements/agents": ["them"]}, "statements.agents names `them`, which is no family of agents"),
        ({"statements/category": ["us"]}, "statements.category names `us`, which is no family of activities"),
        ({"statements/group_share": 0.5}, "group_share needs statements.groups"),
        ({"statements/void_share": 1.5}, "<= 1.0"),
        ({"statements/void_share": 0.5, "statements/reference_share": 0.6}, "not be more than 1 together"),
        ({"groups/team/agents": "them"}, "groups.team.agents names `them`"),
        ({"groups/team/members": 4}, "groups.team.members is more than there are"),
        ({"agents/us/types": ["mbox_sha1sum"]}, "Invalid enum value 'mbox_sha1sum'"),
        ({"verbs/did/ids": ["did"]}, "verbs.did.ids has what is no IRI"),
        ({"activities/thing/type": "thing"}, "activities.thing.type is no IRI"),
        ({"agents": {"Us": {"count": 3}}}, "matching regex"),
        ({"": []}, "Expected `object`"),
    ],
)
def test_what_nothing_can_be_made_from_is_refused(changes: Edit, told: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        read(changes)

    assert told in str(refused.value)


def test_all_that_does_not_fit_together_is_told_at_once() -> None:
    with pytest.raises(Misconfigured) as refused:
        read({"statements/agents": ["them"], "statements/verbs": [], "statements/group_share": 1})

    assert len(str(refused.value).split("; ")) == 3


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b"[" * 100_000, b" " * (1024 * 1024 + 1)])
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(Misconfigured):
        read_seeding(text)


def test_shipped_configurations_are_found_by_name() -> None:
    assert list_seedings() == ["default", "varied"]
    assert all(find_seeding(name) is not None for name in list_seedings())


@pytest.mark.parametrize(
    "name", ["", "other", "../configs/default", "default.json", "a/b", "défaut", "x" * 65, "default\n", "\0"]
)
def test_a_name_that_nothing_has_is_not_found(name: str, tmp_path: Path) -> None:
    (tmp_path / "defaults.json").write_bytes(wire.encode(SMALL))

    assert find_seeding(name, str(tmp_path)) is None


def test_ones_own_go_before_those_that_are_shipped(tmp_path: Path) -> None:
    (tmp_path / "default.json").write_bytes(wire.encode(SMALL))
    (tmp_path / "ours.json").write_bytes(wire.encode(edit(SMALL, {"statements/count": 7})))
    (tmp_path / "not ours.json").write_bytes(wire.encode(SMALL))

    found = [find_seeding(name, str(tmp_path)) for name in ("default", "ours", "varied")]

    assert [seeding.statements.count for seeding in found if seeding] == [5, 7, 10_000]
    assert list_seedings(str(tmp_path)) == ["default", "ours", "varied"]


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "ours.json").mkdir()

    with pytest.raises(Misconfigured, match="it cannot be read"):
        find_seeding("ours", str(tmp_path))


def test_a_folder_that_is_not_there_has_no_configurations(tmp_path: Path) -> None:
    assert list_seedings(str(tmp_path / "none")) == ["default", "varied"]
    assert find_seeding("ours", str(tmp_path / "none")) is None
