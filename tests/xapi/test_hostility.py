"""Statements that nobody should send, and what no JSON can make of the validator."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobgate.conformance.cases import BOTH, CASES, edit
from jobgate.conformance.cases.values import EXTENSION
from jobgate.conformance.samples import ACCOUNT, AGENT, FULL, SUB_STATEMENT, USUAL
from jobgate.xapi.instants import read_instant
from jobgate.xapi.rules import Rule
from jobgate.xapi.statements import read_statement, validate
from jobgate.xapi.violations import Version

VERSIONS = pytest.mark.parametrize("version", BOTH)

SLOW_S = 1.0
"""How long the worst statement may take on a busy machine, in process time; measured: a tenth of it."""


def make_json(*, odd_floats: bool) -> st.SearchStrategy[Any]:
    """Any decoded JSON, and `odd_floats` that no JSON can hold."""
    numbers = st.integers() | st.floats(allow_nan=odd_floats, allow_infinity=odd_floats)
    return st.recursive(
        st.none() | st.booleans() | numbers | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    )


Json = make_json(odd_floats=True)
Storable = make_json(odd_floats=False)

DEEP: Any = []
for _ in range(100_000):
    DEEP = [DEEP]


def number(cases: list[Any]) -> list[Any]:
    """The same with ids: some of these values are too long for one."""
    return [pytest.param(*case, id=str(place)) for place, case in enumerate(cases)]


WIDE_AGENT = {"objectType": "Group", "member": [ACCOUNT] * 5_000}


def list_places(value: Any, place: str = "") -> list[str]:
    """Every place in a statement, as `edit` names them; what stands under an IRI aside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [place]
    for name, below in inner:
        if "/" not in str(name):
            found += list_places(below, f"{place}/{name}" if place else str(name))
    return found


FULLEST = edit(FULL, {"object": SUB_STATEMENT, "context": {**FULL["context"], "contextAgents": [{"agent": AGENT}]}})
PLACES = list_places(FULL) + list_places(FULLEST)


@VERSIONS
@given(statement=Json)
def test_no_json_raises(version: Version, statement: Any) -> None:
    assert validate(statement, version) != []


@VERSIONS
@given(place=st.sampled_from(PLACES), value=Json)
def test_no_json_raises_wherever_it_stands(version: Version, place: str, value: Any) -> None:
    base = FULL if place in list_places(FULL) else FULLEST

    for violation in validate(edit(base, {place: value}), version):
        assert violation.path.startswith("$")
        assert violation.message


@given(text=st.binary(max_size=64) | st.text(max_size=64).map(str.encode))
def test_no_text_raises(text: bytes) -> None:
    statement, violations = read_statement(text, "2.0.0")

    assert violations
    assert statement is None or Rule.json in {violation.rule for violation in violations} or isinstance(statement, dict)


@given(seed=st.integers())
def test_a_valid_statement_stays_valid_in_any_order(seed: int) -> None:
    shuffle = random.Random(seed)

    def turn(value: Any) -> Any:
        if isinstance(value, list):
            return [turn(inner) for inner in value]
        if not isinstance(value, dict):
            return value
        names = list(value)
        shuffle.shuffle(names)
        return {name: turn(value[name]) for name in names}

    turned = turn(FULL)

    assert validate(turned, "1.0.3") == []
    assert read_statement(json.dumps(turned, indent=1).encode(), "2.0.0") == (FULL, [])


@given(text=st.text(alphabet="0123456789-:TZtz+.,", max_size=40) | st.datetimes().map(str))
def test_a_time_is_read_or_refused(text: str) -> None:
    for is_2 in (False, True):
        moment = read_instant(text, is_2=is_2)
        assert moment is None or moment.tzinfo is not None


@pytest.mark.parametrize(
    ("text", "paths"),
    number(
        [
            ('{"id": "a", "id": "b", %s}', {"$.id"}),
            ('{"\\u0069d": "a", "id": "b", %s}', {"$.id"}),
            ('{"result": {"response": "", "response": ""}, %s}', {"$.result.response"}),
            (
                '{"context": {"extensions": {"urn:x": [{"a": {"b": 1, "b": 2}}]}}, %s}',
                {"$.context.extensions['urn:x'][0].a.b"},
            ),
            ('{"result": {"extensions": {"urn:x": 1, "urn\\u003ax": 2}}, %s}', {"$.result.extensions['urn:x']"}),
            ('{"result": {"extensions": {"urn:x": "\\u003a", "urn:x": 2}}, %s}', {"$.result.extensions['urn:x']"}),
            ('{"result": {"response": "\\u003a\\u003A", "extensions": {}}, %s}', set()),
            ('{"result": {"response": "a:b, \\"a\\": 1, \\"a\\": 2"}, %s}', set()),
            ('{ "result" : {\n"response"\t: "" } , %s}', set()),
        ]
    ),
)
def test_a_name_that_stands_twice_is_seen(text: str, paths: set[str]) -> None:
    rest = json.dumps({name: USUAL[name] for name in ("actor", "verb", "object")})[1:-1]

    _, violations = read_statement((text % rest).encode(), "1.0.3")

    assert {violation.path for violation in violations if violation.rule == Rule.json} == paths


@pytest.mark.parametrize(
    ("text", "rule"),
    number(
        [
            (b"", Rule.json),
            (b"{", Rule.json),
            (b"{}{}", Rule.json),
            (b"\xff", Rule.json),
            (b'{"a": NaN}', Rule.json),
            (b'{"a": 1e999}', Rule.number),
            (b'{"a": "\\ud800"}', Rule.json),
            (b'{"a": ' + b"9" * 10_000 + b"}", Rule.number),
            (b"[" * 1_000_000, Rule.depth),
            (b'{"a":' * 1_000_000, Rule.depth),
            (b"null", Rule.null),
        ]
    ),
)
def test_text_that_is_no_statement_is_refused(text: bytes, rule: Rule) -> None:
    statement, violations = read_statement(text, "1.0.3")

    assert statement is None or rule != Rule.json or b"9" in text
    assert rule in {violation.rule for violation in violations}


@pytest.mark.parametrize(
    ("change", "rule"),
    number(
        [
            ({"context/extensions": {EXTENSION: DEEP}}, Rule.depth),
            ({"actor": DEEP}, Rule.depth),
            ({"actor": object()}, Rule.type),
            ({"context/extensions": {EXTENSION: object()}}, Rule.type),
            ({"context/extensions": {5: 5}}, Rule.extension_name),
            ({"actor/mbox": "mailto:" + "@" * 500_000 + " "}, Rule.mbox),
            ({"verb/id": "a" * 500_000}, Rule.iri),
            ({"verb/display": {"-".join(["aa"] * 200_000): "x"}}, Rule.language_tag),
            ({"verb/display": {"a-" * 200_000: "x"}}, Rule.language_tag),
            ({"context/language": "en-" + "a-bb-" * 100_000 + "!"}, Rule.language),
            ({"attachments/0/contentType": "a/b" + ";" * 300_000}, Rule.content_type),
            ({"attachments/0/contentType": "a/b" + " " * 300_000 + "x"}, Rule.content_type),
            ({"attachments/0/contentType": 'a/b;c="' + "\\" * 300_000}, Rule.content_type),
            ({"result/duration": "P" + "1" * 500_000}, Rule.duration),
            ({"result/duration": "PT1." + "1" * 500_000}, Rule.duration),
            ({"timestamp": "2026-11-22T09:30:00." + "1" * 500_000}, Rule.time),
            ({"object/definition/choices": [{"id": str(place)} for place in range(50_000)] * 2}, Rule.component_id),
            ({"object/definition/correctResponsesPattern": [5] * 100_000}, Rule.responses_pattern),
            ({f"x{place}": 1 for place in range(50_000)}, Rule.name_unknown),
            ({"actor": {**WIDE_AGENT, "member": [WIDE_AGENT] * 5}}, Rule.member),
        ]
    ),
)
def test_the_worst_is_refused_quickly(change: dict[str, Any], rule: Rule) -> None:
    statement = edit(FULL, change) if len(change) == 1 else FULL | change
    started = time.process_time()

    found = validate(statement, "2.0.0")

    assert rule in {violation.rule for violation in found}
    assert time.process_time() - started < SLOW_S


def test_a_message_tells_no_value_and_a_path_no_end() -> None:
    statement = edit(FULL, {"actor/mbox": "secret", "x" * 10_000: 1, "context/registration": "secret"})

    found = validate(statement, "1.0.3")

    assert len(found) == 3
    assert all("secret" not in str(violation) and len(str(violation)) < 400 for violation in found)


def test_what_is_written_as_text_is_judged_as_what_is_decoded() -> None:
    for rule, cases in CASES.items():
        for change in (*cases.accepted, *cases.refused):
            statement = edit(FULL, change)
            try:
                text = json.dumps(statement, allow_nan=False, ensure_ascii=False).encode()
            except ValueError:  # no JSON has it
                continue
            if rule is Rule.score and b"0" * 400 in text:
                continue
            decoded, found = read_statement(text, "2.0.0")
            assert found == validate(decoded, "2.0.0"), change
