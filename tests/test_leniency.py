"""What the official clients send otherwise than the type says is put right, see `learnosity` 1.4."""

from __future__ import annotations

import json
from typing import Literal

import msgspec
import pytest

from jobgate.errors import Code
from jobgate.wire import (
    MAX_LENIENT_STRUCTURE,
    decode_request,
)
from tests.wire_types import Colour, Either, Entry, Need, Wish, refusal, wish


def test_an_empty_php_array_is_an_empty_object_wherever_one_is_expected() -> None:
    assert decode_request(b"[]", Wish) == (Wish(), ())
    assert wish(entries=[{"session_id": "s", "user_id": "u", "metadata": []}], groups=[], open=[]) == Wish(
        entries=[Entry(session_id="s", user_id="u", metadata={})], groups={}, open=[]
    )


def test_an_empty_php_array_for_an_object_with_required_fields_says_what_is_missing() -> None:
    assert refusal({"entries": [[]]}).message == "`entries[0].session_id` must have a non-null value"
    assert refusal(b"[]", Need).message == "`statuses` must have a non-null value"


def test_java_strings_are_numbers_booleans_lists_and_objects_where_those_are_expected() -> None:
    given = wish(
        limit="10",
        ratio="1.5",
        is_all="true",
        references='["a","b"]',
        numbers="[1, 2]",
        entries='[{"session_id":"s","user_id":"u"}]',
        groups='{"a":["1"]}',
    )

    assert given == Wish(
        limit=10,
        ratio=1.5,
        is_all=True,
        references=["a", "b"],
        numbers=[1, 2],
        entries=[Entry(session_id="s", user_id="u")],
        groups={"a": [1]},
    )


@pytest.mark.parametrize(
    ("text", "references"),
    [("a", ["a"]), ("a,b", ["a", "b"]), (" a , b ", ["a", "b"]), ("", []), (" ", []), ("[]", []), ("[a", ["[a"])],
)
def test_a_string_for_a_list_is_its_comma_joined_pieces(text: str, references: list[str]) -> None:
    assert wish(references=text).references == references


def test_a_comma_joined_string_is_a_list_of_numbers_but_not_of_objects() -> None:
    assert wish(numbers="1,2").numbers == [1, 2]
    assert refusal({"numbers": "1,x"}).message == "`numbers[1]` must be an integer, not a string"
    assert refusal({"entries": "a,b"}).code is Code.wrong_type


def test_null_for_an_optional_parameter_is_an_absent_one() -> None:
    assert wish(limit=None, name=None, groups=None, numbers=None, entries=None, since=None) == Wish()
    assert wish(entries=[{"session_id": "s", "user_id": "u", "status": None}]).entries == [
        Entry(session_id="s", user_id="u")
    ]


def test_words_of_a_closed_set_come_in_any_case() -> None:
    entries = wish(entries=[{"session_id": "s", "user_id": "u", "status": "INCOMPLETE"}]).entries

    assert entries is not None
    assert entries[0].status == "Incomplete"
    assert wish(colour="blue").colour is Colour.BLUE


def test_an_integer_may_be_written_with_a_zero_fraction_but_not_as_a_boolean() -> None:
    assert wish(limit=10.0).limit == 10
    assert wish(big="-0").big == 0
    assert wish(is_all=1).is_all
    assert not wish(is_all="0").is_all
    assert refusal({"limit": True}).code is Code.wrong_type
    assert refusal({"is_all": 2}).code is Code.wrong_type
    assert refusal({"limit": 1.5}).code is Code.wrong_type


@pytest.mark.parametrize("text", ["", " 1", "1_0", "+1", "0x1", "01", "１", "1.5", "1e2", "null", "one", "1" * 5000])  # noqa: RUF001
def test_a_string_that_spells_no_integer_is_20003(text: str) -> None:
    assert refusal({"big": text}).code is Code.wrong_type


def test_text_where_text_is_expected_stays_as_it_is() -> None:
    given = wish(since="10", name="null", open="[]", agent='{"a":1}')

    assert (given.since, given.name, given.open, given.agent) == ("10", "null", "[]", '{"a":1}')


def test_leniency_reaches_into_unions_pairs_and_types_within_themselves() -> None:
    given = wish(agent={"session_id": "s", "user_id": "u", "metadata": []}, children=[{"numbers": "1", "children": []}])

    assert given.agent == Entry(session_id="s", user_id="u", metadata={})
    assert given.children == [Wish(numbers=[1])]
    assert wish(limit="7", raw={"a": [1]}).raw == msgspec.Raw(b'{"a":[1]}')


@pytest.mark.parametrize(
    ("field", "sent", "read"),
    [
        ("limit", "5", 5),
        ("limit", "[5]", [5]),
        ("limit", "5,6", [5, 6]),
        ("limit", ["5"], [5]),
        ("names", "[]", []),
        ("names", "a,b", ["a", "b"]),
        ("names", '{"session_id":"s","user_id":"u","metadata":[]}', Entry(session_id="s", user_id="u")),
        ("ratio", "5", 5),
        ("ratio", "0.5", 0.5),
        ("mode", "ALL", "all"),
        ("mode", "1,2", [1, 2]),
        ("shape", "2", 2),
        ("pieces", "1,2", (1, 2)),
        ("owners", "[]", "[]"),
        ("owners", [], {}),
    ],
)
def test_a_choice_of_types_takes_the_first_that_the_value_can_mean(field: str, sent: object, read: object) -> None:
    assert getattr(decode_request(json.dumps({field: sent}).encode(), Either)[0], field) == read


@pytest.mark.parametrize("field", ["limit", "names", "ratio", "mode", "shape", "pieces", "pair", "owners"])
@pytest.mark.parametrize("number", [2**60, [2**60], [2**60, "b"], {"1": [2**60]}])
def test_a9_no_choice_of_types_lets_a_large_integer_through(field: str, number: object) -> None:
    assert refusal({field: number}, Either).code in (Code.wrong_type, Code.unsupported_value, Code.invalid_length)


def test_a_word_outside_a_closed_set_within_other_types_is_told_the_set() -> None:
    class Nested(msgspec.Struct):
        pairs: list[tuple[Literal["a"], int]] = []
        maps: dict[str, list[Literal["b"]]] = {}

    assert refusal({"pairs": [["x", 1]]}, Nested).message.endswith("must be one of a, not 'x'")
    assert refusal({"maps": {"k": ["x"]}}, Nested).message.endswith("must be one of b, not 'x'")


def test_a_very_large_request_must_fit_its_type_exactly() -> None:
    numbers: list[object] = [1] * MAX_LENIENT_STRUCTURE

    assert wish(numbers=[*numbers[:-10], "1"]).numbers[-1] == 1
    assert refusal({"numbers": [*numbers, "1"]}).code is Code.wrong_type
    assert len(wish(numbers=numbers).numbers) == MAX_LENIENT_STRUCTURE
