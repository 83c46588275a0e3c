"""Totals of sessions and items; expected values are written out by hand from the rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobgate.scoring.sessions import MAX_ERROR_CHARS, ItemScore, add_up
from jobgate.scoring.subscores import Item, ItemRule, Mark


def mark(id: str, score: float | None, max_score: float = 2, item: str = "i", attempted: bool = True) -> Mark:
    """What one response earned."""
    return Mark(id, item, attempted, score, max_score)


def item(rule: str | None = None, reference: str = "i", **fields: Any) -> Item:
    """An item with a rule."""
    return Item(reference=reference, scoring=ItemRule(type=rule), **fields)


RIGHT, HALF, WRONG, RIGHT_AGAIN = mark("r-1", 2), mark("r-2", 1), mark("r-3", 0), mark("r-4", 2)


@pytest.mark.parametrize(
    ("rule", "marks", "score"),
    [
        (None, [RIGHT, HALF, WRONG, RIGHT_AGAIN], 5),
        ("per-question", [RIGHT, HALF], 3),
        ("unheard-of", [RIGHT, HALF], 3),
        ("per-dichotomous", [RIGHT, RIGHT_AGAIN], 4),
        ("per-dichotomous", [RIGHT, HALF], 0),
        ("dependent", [RIGHT, HALF, RIGHT_AGAIN], 3),
        ("dependent", [WRONG, RIGHT], 0),
        ("dependent", [RIGHT, RIGHT_AGAIN, WRONG], 4),
    ],
)
def test_an_item_earns_what_its_rule_leaves(rule: str | None, marks: list[Mark], score: float) -> None:
    found = add_up([item(rule)], marks)

    assert found.score == found.items["i"].score == score
    assert found.max_score == found.items["i"].max_score == 2 * len(marks)
    assert found.items["i"].type == (rule or "per-question")


def test_maxima_of_what_was_attempted_and_of_what_waits_are_told_apart() -> None:
    waiting, skipped = mark("r-5", None, 8), mark("r-6", None, 16, attempted=False)

    found = add_up([item()], [RIGHT, waiting, skipped])

    assert found.num_attempted == 2
    assert found.items["i"] == ItemScore(
        type="per-question", score=2, max_score=26, max_score_of_attempted=10, max_score_of_unmarked=8
    )


def test_responses_without_an_item_count_in_the_session_only() -> None:
    items = [item("per-dichotomous", response_ids=("r-1", "r-2")), item(reference="empty")]

    found = add_up(items, [mark("r-1", 2, item=""), mark("r-2", 1, item=""), mark("r-3", 1, item="")])

    assert (found.score, found.max_score, found.num_attempted) == (1, 6, 3)
    assert {reference: share.score for reference, share in found.items.items()} == {"i": 0}


def test_an_item_that_the_session_does_not_list_counts_too() -> None:
    found = add_up([], [mark("r-1", 1.5, item="other")])

    assert (found.score, found.items["other"].score) == (1.5, 1.5)


def test_an_item_tells_its_first_error_and_not_all_of_it() -> None:
    errors = {"r-2": "second" * 100, "r-1": "x" * 1000, "elsewhere": "no"}

    found = add_up(
        [item(), item(reference="j")], [mark("r-1", None), mark("r-2", None), mark("r-9", 1, item="j")], errors
    )

    assert found.items["i"].error == "x" * MAX_ERROR_CHARS
    assert found.items["j"].error is None


def test_sums_are_free_of_noise() -> None:
    found = add_up([item()], [mark("a", 0.1), mark("b", 0.2), mark("c", 0.7)])

    assert (found.score, type(found.score)) == (1, int)
    assert add_up([item()], [mark("a", 0.1), mark("b", 0.2)]).score == 0.3


MARKS = st.lists(
    st.builds(
        Mark,
        st.integers(0, 9).map(str),
        st.sampled_from(["", "i", "j", "k"]),
        st.booleans(),
        st.none() | st.floats(0, 10),
        st.floats(10, 20),
    ),
    max_size=12,
)
RULES = st.sampled_from([None, "per-question", "per-dichotomous", "dependent"])


@given(MARKS, RULES, RULES)
def test_no_session_earns_more_than_its_maximum_or_than_its_parts(marks: list[Mark], one: str, other: str) -> None:
    found = add_up([item(one), item(other, reference="j", response_ids=("1", "2"))], marks)

    assert 0 <= found.score <= found.max_score + 1e-3
    assert found.score <= sum(each.score or 0 for each in marks) + 1e-3
    assert sum(share.score for share in found.items.values()) <= found.score + 1e-3
    assert found.num_attempted == sum(each.attempted for each in marks)
