"""Which statements are the same, and which are not."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobgate.conformance.samples import FULL
from jobgate.xapi.comparison import are_equal, compare_by

ANN = {"mbox": "mailto:Ann@School.example", "name": "Ann", "objectType": "Agent"}
BEN = {"account": {"homePage": "https://school.example", "name": "ben"}}
CLEO = {"openid": "https://cleo.example"}
VERB = {"id": "https://v.example/did", "display": {"en": "did"}}
QUIZ = {"id": "https://school.example/quiz", "definition": {"name": {"en": "Quiz"}}}
PAIR = {"objectType": "Group", "member": [BEN, CLEO]}
BASE: dict[str, Any] = {"id": "a0000000-0000-4000-8000-00000000000a", "actor": ANN, "verb": VERB, "object": QUIZ}
INNER = {"objectType": "SubStatement", "actor": PAIR, "verb": VERB, "object": QUIZ}
REF = {"objectType": "StatementRef", "id": "b0000000-0000-4000-8000-00000000000b"}
ATTACHMENT = {"usageType": "https://x.example", "display": {}, "contentType": "a/b", "length": 1, "sha2": "0" * 64}


def context(**parts: Any) -> dict[str, Any]:
    """A context."""
    return {"context": parts}


def result(**parts: Any) -> dict[str, Any]:
    """A result."""
    return {"result": parts}


SAME: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("what a receiver assigns", {}, {"stored": "2026-01-01T00:00:00Z", "authority": BEN, "version": "1.0.0"}),
    ("a time that one has not", {}, {"timestamp": "2026-01-01T00:00:00Z"}),
    ("versions", {"version": "1.0.0"}, {"version": "1.0.3"}),
    ("capitals of an id", {}, {"id": str(BASE["id"]).upper()}),
    ("definitions", {}, {"object": {"id": QUIZ["id"], "definition": {"name": {"de": "Rätsel"}}}}),
    ("no definition", {}, {"object": {"id": QUIZ["id"], "objectType": "Activity"}}),
    ("displays", {}, {"verb": {"id": VERB["id"], "display": {"de": "tat"}}}),
    ("attachments", {}, {"attachments": [ATTACHMENT]}),
    ("zones", {"timestamp": "2026-01-01T12:00:00Z"}, {"timestamp": "2026-01-01T14:00:00.000+02:00"}),
    ("digits", {"timestamp": "2026-01-01T12:00:00.5Z"}, {"timestamp": "2026-01-01T12:00:00.500Z"}),
    ("capitals of a mail domain", {}, {"actor": ANN | {"mbox": "mailto:Ann@SCHOOL.EXAMPLE"}}),
    ("an objectType that is understood", {}, {"actor": {"mbox": ANN["mbox"], "name": "Ann"}}),
    ("capitals of a digest", {"actor": {"mbox_sha1sum": "ab" * 20}}, {"actor": {"mbox_sha1sum": "AB" * 20}}),
    ("the order of members", {"actor": PAIR}, {"actor": PAIR | {"member": [CLEO, BEN]}}),
    ("members within", {"object": INNER}, {"object": INNER | {"actor": PAIR | {"member": [CLEO, BEN]}}}),
    ("definitions within", {"object": INNER}, {"object": INNER | {"object": {"id": QUIZ["id"]}}}),
    ("a single context activity", context(contextActivities={"parent": QUIZ}),
        context(contextActivities={"parent": [QUIZ]})),
    ("a registration", context(registration="ab" * 4 + "-0000-4000-8000-000000000000"),
        context(registration="AB" * 4 + "-0000-4000-8000-000000000000")),
    ("the target", {"object": REF}, {"object": REF | {"id": str(REF["id"]).upper()}}),
    ("what is finer than a hundredth", result(duration="PT1.234S"), result(duration="PT1.239S")),
    ("the fraction of a whole number", result(score={"raw": 1}), result(score={"raw": 1.0})),
]  # fmt: skip

OTHER: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("times", {"timestamp": "2026-01-01T12:00:00Z"}, {"timestamp": "2026-01-01T12:00:00.001Z"}),
    ("actors", {}, {"actor": BEN}),
    ("local parts", {}, {"actor": ANN | {"mbox": "mailto:ann@School.example"}}),
    ("accounts", {"actor": BEN}, {"actor": {"account": BEN["account"] | {"name": "Ben"}}}),
    ("an mbox and its digest", {}, {"actor": {"mbox_sha1sum": "ab" * 20}}),
    ("names of actors", {}, {"actor": ANN | {"name": "Anna"}}),
    ("members", {"actor": PAIR}, {"actor": PAIR | {"member": [BEN]}}),
    ("members that stand twice", {"actor": PAIR}, {"actor": PAIR | {"member": [BEN, CLEO, CLEO]}}),
    ("agents and groups", {}, {"actor": ANN | {"objectType": "Group"}}),
    ("verbs", {}, {"verb": {"id": "https://v.example/DID"}}),
    ("activities", {}, {"object": {"id": f"{QUIZ['id']}/"}}),
    ("objects", {"object": REF}, {"object": REF | {"id": BASE["id"]}}),
    ("statements within", {"object": INNER}, {"object": INNER | {"verb": {"id": "https://v.example"}}}),
    ("times within", {"object": INNER}, {"object": INNER | {"timestamp": "2026-01-01T12:00:00Z"}}),
    ("how a duration is written", result(duration="PT60S"), result(duration="PT1M")),
    ("durations", result(duration="PT1.23S"), result(duration="PT1.24S")),
    ("scores", result(score={"raw": 1}), result(score={"raw": 1.001})),
    ("a result", {}, result(success=True)),
    ("true and one", result(extensions={"a:b": True}), result(extensions={"a:b": 1})),
    ("extensions", result(extensions={"a:b": [1, 2]}), result(extensions={"a:b": [2, 1]})),
    ("responses", result(response="a"), result(response="A")),
    ("platforms", context(platform="a"), context(platform="A")),
    ("relations", context(contextActivities={"parent": [QUIZ]}), context(contextActivities={"other": [QUIZ]})),
    ("instructors", context(instructor=BEN), context(instructor=CLEO)),
    ("participants", context(contextAgents=[{"agent": BEN}]), context(contextAgents=[{"agent": CLEO}])),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), [pair[1:] for pair in SAME], ids=[pair[0] for pair in SAME])
def test_the_same_statement(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert are_equal(BASE | one, BASE | other)
    assert are_equal(BASE | other, BASE | one)


@pytest.mark.parametrize(("one", "other"), [pair[1:] for pair in OTHER], ids=[pair[0] for pair in OTHER])
def test_another_statement(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert not are_equal(BASE | one, BASE | other)
    assert not are_equal(BASE | other, BASE | one)


def walk(value: Any) -> list[tuple[Any, Any]]:
    """Every place in a JSON value: the container, and the key or index in it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, below in list(inner) for place in [(value, key), *walk(below)]]


PLACES = range(len(walk(FULL)))
IGNORED = ("id", "stored", "authority", "version", "attachments", "definition", "display", "objectType")


@given(st.sampled_from(PLACES))
def test_what_is_changed_anywhere_is_another_statement_unless_it_does_not_count(number: int) -> None:
    changed = copy.deepcopy(FULL)
    container, key = walk(changed)[number]
    path = find(changed, container)
    is_ignored = path[:1] in [(name,) for name in IGNORED[:5]] or any(name in IGNORED[5:] for name in (*path, key))
    if (not path and key in IGNORED) or is_ignored:
        container[key] = None
        assert compare_by(changed) == compare_by(FULL) or key == "objectType"
    else:
        container[key] = {"something": "else"}
        assert compare_by(changed) != compare_by(FULL)


def find(value: Any, container: Any, path: tuple[Any, ...] = ()) -> tuple[Any, ...]:
    """The way to a container."""
    if value is container:
        return path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        if (found := find(below, container, (*path, key))) or below is container:
            return found
    return ()


@settings(max_examples=20)
@given(st.randoms(use_true_random=False))
def test_the_order_of_names_and_members_never_counts(dice: Any) -> None:
    assert compare_by(shuffle(FULL, dice)) == compare_by(FULL)


def shuffle(value: Any, dice: Any, name: Any = None) -> Any:
    """The same with names and members in another order."""
    if isinstance(value, dict):
        pairs = [(key, shuffle(below, dice, key)) for key, below in value.items()]
        dice.shuffle(pairs)
        return dict(pairs)
    if isinstance(value, list):
        items = [shuffle(each, dice) for each in value]
        if name == "member":
            dice.shuffle(items)
        return items
    return value
