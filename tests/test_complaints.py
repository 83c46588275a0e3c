"""What a request hears that does not fit its type: the code, the parameter, the words of the hosted service."""

from __future__ import annotations

from typing import Any

import pytest

from jobgate.errors import Code
from tests.wire_types import Need, refusal


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        ({}, Code.missing_parameter, "`statuses` must have a non-null value"),
        ({"statuses": None}, Code.missing_parameter, "`statuses` must have a non-null value"),
        ({"statuses": []}, Code.invalid_length, "`statuses` must contain 1 or more entries"),
        ({"statuses": {"a": 1}}, Code.wrong_type, "`statuses` must be an array, not an object"),
        ({"statuses": 1}, Code.wrong_type, "`statuses` must be an array, not an integer"),
        ({"statuses": [1]}, Code.wrong_type, "`statuses[0]` must be an object, not an integer"),
        ({"statuses": [None]}, Code.missing_parameter, "`statuses[0]` must have a non-null value"),
        ({"kind": 3}, Code.unsupported_value, "`kind` must be one of 1, 2, not 3"),
        ({"kind": "x"}, Code.wrong_type, "`kind` must be an integer, not a string"),
    ],
)
def test_a_refusal_names_the_parameter_in_the_words_of_the_hosted_service(
    request_: dict[str, Any], code: Code, message: str
) -> None:
    error = refusal(request_, Need)

    assert (error.code, error.message) == (code, message)


GOOD_ENTRY = {"session_id": "s", "user_id": "u"}


@pytest.mark.parametrize(
    ("entry", "code", "message"),
    [
        ({"session_id": "s"}, Code.missing_parameter, "`entries[2].user_id` must have a non-null value"),
        ({"user_id": None}, Code.missing_parameter, "`entries[2].user_id` must have a non-null value"),
        ({"user_id": 5}, Code.wrong_type, "`entries[2].user_id` must be a string, not an integer"),
        ({"session_id": "s" * 51}, Code.invalid_length, "`entries[2].session_id` must contain at most 50 characters"),
        ({"session_id": ""}, Code.invalid_length, "`entries[2].session_id` must contain 1 or more characters"),
        (
            {"status": "Discarded"},
            Code.unsupported_value,
            "`entries[2].status` must be one of Completed, Incomplete, not 'Discarded'",
        ),
        ({"metadata": 1}, Code.wrong_type, "`entries[2].metadata` must be an object, not an integer"),
    ],
)
def test_the_path_leads_to_the_entry_at_fault(entry: dict[str, Any], code: Code, message: str) -> None:
    last = entry if "session_id" in entry and len(entry) == 1 and entry["session_id"] == "s" else GOOD_ENTRY | entry

    error = refusal({"entries": [GOOD_ENTRY, GOOD_ENTRY, last]})

    assert (error.code, error.message) == (code, message)


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        ({"entries": [GOOD_ENTRY] * 4}, Code.too_much, "`entries` must contain at most 3 entries"),
        ({"references": ["a"] * 5}, Code.too_much, "`references` must contain at most 4 entries"),
        ({"limit": 0}, Code.wrong_type, "`limit` must be a number >= 1"),
        ({"limit": "1001"}, Code.wrong_type, "`limit` must be a number <= 1000"),
        ({"groups": {"a": 1}}, Code.wrong_type, "`groups[...]` must be an array, not an integer"),
        ({"since": []}, Code.wrong_type, "`since` must be an integer or a string, not an array"),
        ({"colour": "Green"}, Code.unsupported_value, "`colour` must be one of Red, Blue, not 'Green'"),
        ({"pair": [1]}, Code.invalid_length, "`pair` must contain exactly 2 entries"),
        ({"id": "x"}, Code.unsupported_value, "`id` must be a valid UUID"),
        ({"children": [{"children": [{"limit": {}}]}]}, Code.wrong_type, None),
    ],
)
def test_every_kind_of_fault_has_its_code(request_: dict[str, Any], code: Code, message: str | None) -> None:
    error = refusal(request_)

    assert error.code is code
    assert error.message == (message or "`children[0].children[0].limit` must be an integer, not an object")


def test_a_rule_of_the_type_itself_is_20004_with_its_own_words() -> None:
    error = refusal({"kind": 2, "statuses": [GOOD_ENTRY] * 2}, Need)

    assert (error.code, error.message) == (Code.unsupported_value, "`request` two are too few")


def test_leniency_does_not_hide_the_fault_that_remains() -> None:
    assert refusal({"limit": "10", "ratio": []}).message == "`ratio` must be a number, not an array"


def test_a_message_repeats_at_most_200_characters_of_the_caller() -> None:
    assert len(refusal({"colour": "x" * 10_000}).message) < 300
    assert len(refusal({"kind": 1, "statuses": [{"x" * 10_000: 1}]}, Need).message) < 300
