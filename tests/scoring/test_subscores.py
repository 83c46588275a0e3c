"""Subscores by hand, and what must hold for any session."""

from __future__ import annotations

import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobgate.scoring.ability import ItemParameters
from jobgate.scoring.subscores import (
    MAX_LISTED_CHARS,
    Item,
    ItemRule,
    Mark,
    Subscore,
    SubscoreDefinition,
    Tag,
    TooMuchListed,
    calculate,
    credit,
    is_right,
    sum_items,
)

MATHS = Tag("subject", "maths")
EASY = Tag("level", "easy")


def mark(item: str, score: float | None = None, max_score: float | None = 1, *, attempted: bool = True) -> Mark:
    """A response to an item."""
    return Mark("", item, attempted, score, max_score)


def only(definition: SubscoreDefinition, items: list[Item], marks: list[Mark]) -> Subscore:
    """The one subscore of a session."""
    (subscore,) = calculate([definition], items, marks)
    return subscore


def test_the_sums_of_the_documented_sample() -> None:
    items = [Item(reference="a"), Item(reference="b")]
    marks = [
        mark("a", 2, 3),
        mark("a", None, 4),  # attempted, waits for a person
        mark("a", None, 5, attempted=False),
        mark("b", 7, 7),
    ]

    subscore = only(SubscoreDefinition(id="x", title="X", items=("a",)), items, marks)

    assert msgspec.to_builtins(subscore) == {
        "id": "x",
        "title": "X",
        "num_questions": 3,
        "num_attempted": 2,
        "num_unmarked": 1,
        "score": 2,
        "max_score": 12,
        "attempted_max_score": 7,
        "unmarked_max_score": 4,
        "items": ["a"],
    }


def test_tags_take_every_item_that_carries_one_of_them() -> None:
    items = [
        Item(reference="a", tags=(MATHS,)),
        Item(reference="b", tags=(EASY, Tag("x", "y"))),
        Item(reference="c", tags=(Tag("level", "maths"),)),
    ]
    marks = [mark("a", 1), mark("b", 1), mark("c", 1)]

    subscore = only(SubscoreDefinition(id="x", tags=(EASY, MATHS)), items, marks)

    assert (subscore.items, subscore.score) == (["a", "b"], 2)


def test_an_item_counts_once_however_often_it_is_meant() -> None:
    definition = SubscoreDefinition(id="x", items=("a", "a"), tags=(MATHS, EASY))

    subscore = only(definition, [Item(reference="a", tags=(MATHS, EASY))], [mark("a", 1)])

    assert (subscore.items, subscore.num_questions, subscore.score) == (["a"], 1, 1)


def test_all_parts_together_list_only_so_much() -> None:
    items = [Item(reference=letter * (MAX_LISTED_CHARS // 4), tags=(MATHS,)) for letter in "ab"]
    definition = SubscoreDefinition(id="x", tags=(MATHS,))

    assert len(calculate([definition] * 2, items, [])) == 2
    with pytest.raises(TooMuchListed):
        calculate([definition] * 3, items, [])


def test_p7_as_many_tags_as_a_packet_holds_are_matched_at_once() -> None:
    items = [Item(reference=f"i-{n}", tags=tuple(Tag("", f"{n}-{k}") for k in range(300))) for n in range(300)]
    tags = tuple(tag for item in items for tag in item.tags[:3])
    started = time.process_time()

    calculate([SubscoreDefinition(id=str(n), tags=tags) for n in range(50)], items, [])

    assert time.process_time() - started < 0.5


def test_an_item_that_was_not_met_is_not_listed() -> None:
    subscore = only(SubscoreDefinition(id="x", items=("z", "a")), [Item(reference="a")], [])

    assert (subscore.items, subscore.num_questions, subscore.max_score) == (["a"], 0, 0)


def test_items_are_listed_in_the_order_of_the_session() -> None:
    subscore = only(
        SubscoreDefinition(id="x", items=("b", "unlisted", "a")),
        [Item(reference="a"), Item(reference="b")],
        [mark("unlisted", 1)],
    )

    assert subscore.items == ["a", "b", "unlisted"]


def test_a_response_that_names_no_item_belongs_to_the_one_that_names_it() -> None:
    items = [Item(reference="a", response_ids=("r-1",)), Item(reference="b")]
    marks = [Mark("r-1", "", True, 1, 1), Mark("r-2", "", True, 1, 1)]

    first, second = calculate(
        [SubscoreDefinition(id="a", items=("a",)), SubscoreDefinition(id="b", items=("b",))], items, marks
    )

    assert (first.score, second.score) == (1, 0)


def test_a_penalty_may_make_the_score_negative() -> None:
    subscore = only(SubscoreDefinition(id="x", items=("a",)), [], [mark("a", -0.5), mark("a", 0.25)])

    assert subscore.score == -0.25


def test_sums_are_exact_to_four_decimals_and_whole_where_they_are_whole() -> None:
    thirds = only(SubscoreDefinition(id="x", items=("a",)), [], [mark("a", 0.3333)] * 3)
    tenths = only(SubscoreDefinition(id="x", items=("a",)), [], [mark("a", 0.1)] * 10)

    assert thirds.score == 0.9999
    assert (tenths.score, type(tenths.score)) == (1, int)


@pytest.mark.parametrize(
    ("rule", "scores", "earned"),
    [
        (None, [1, 0.5, 1], [1, 0.5, 1]),
        ("per-question", [1, 0.5, 1], [1, 0.5, 1]),
        ("per-dichotomous", [1, 1, 1], [1, 1, 1]),
        ("per-dichotomous", [1, 0.5, 1], [0, 0, 0]),
        ("per-dichotomous", [1, None, 1], [0, 0, 0]),
        ("dependent", [1, 1, 1], [1, 1, 1]),
        ("dependent", [1, 0.5, 1], [1, 0.5, 0]),
        ("dependent", [None, 1, 1], [0, 0, 0]),
        ("dependent", [1, 1 - 1e-7, 1], [1, 1 - 1e-7, 1]),
    ],
)
def test_an_item_turns_the_scores_of_its_questions_into_its_own(
    rule: str | None, scores: list[float | None], earned: list[float]
) -> None:
    marks = [mark("a", score) for score in scores]

    assert credit(rule, marks) == earned
    subscore = only(SubscoreDefinition(id="x", items=("a",)), [Item(reference="a", scoring=ItemRule(rule))], marks)
    assert subscore.score == pytest.approx(sum(earned), abs=1e-4)


def test_a_part_of_an_adaptive_session_has_an_estimate_from_its_marked_items() -> None:
    items = [
        Item(reference="right", irt=ItemParameters(0)),
        Item(reference="elsewhere", irt=ItemParameters(3)),
        Item(reference="unmarked", irt=ItemParameters(1)),
        Item(reference="unscored", irt=ItemParameters(1)),
        Item(reference="plain"),
    ]
    marks = [mark("right", 1), mark("elsewhere", 0), mark("unmarked", None), mark("unscored", 0, 0), mark("plain", 0)]
    names = ("right", "unmarked", "unscored", "plain")

    subscore = only(SubscoreDefinition(id="x", items=names), items, marks)

    # The mean of the posterior after one right answer to an item of difficulty 0, and its deviation.
    estimate = {"ability_estimate": 0.4132, "standard_error": 0.9106, "method": "eap"}
    assert msgspec.to_builtins(subscore)["ability_estimate"] == estimate


@pytest.mark.parametrize("names", [("plain",), ("unmarked",), ()])
def test_a_part_that_tells_nothing_about_an_ability_has_no_estimate(names: tuple[str, ...]) -> None:
    items = [Item(reference="plain"), Item(reference="unmarked", irt=ItemParameters(1))]

    subscore = only(SubscoreDefinition(id="x", items=names), items, [mark("plain", 1), mark("unmarked", None)])

    assert "ability_estimate" not in msgspec.to_builtins(subscore)


@pytest.mark.parametrize(
    ("rule", "scores", "right"),
    [
        (None, [1, 1], True),
        (None, [1, 0.5], False),
        (None, [1.5, 0.5], True),
        ("per-dichotomous", [1.5, 0.5], False),
        (None, [1, None], None),
        (None, [1, 1 - 1e-7], True),
        (None, [], None),
    ],
)
def test_an_item_is_right_when_all_of_it_was_earned(
    rule: str | None, scores: list[float | None], right: bool | None
) -> None:
    items = [Item(reference="a", scoring=ItemRule(rule))]

    assert is_right(sum_items(items, [mark("a", score) for score in scores])["a"]) is right


def test_an_item_that_was_not_attempted_is_wrong() -> None:
    share = sum_items([Item(reference="a")], [mark("a", None, attempted=False)])["a"]

    assert is_right(share) is False


def test_a_practice_question_is_never_in_the_way_of_an_items_rule() -> None:
    assert credit("dependent", [mark("a", None, 0), mark("a", 1)]) == [0, 1]


REFERENCES = st.sampled_from(["a", "b", "c", "d"])
TAGS = st.lists(st.sampled_from([MATHS, EASY, Tag("x", "y")]), max_size=3).map(tuple)
POINTS = st.integers(0, 400).map(lambda quarters: quarters / 4)
MARKS = st.lists(st.builds(Mark, st.just(""), REFERENCES, st.booleans(), st.none() | POINTS, st.none() | POINTS))
ITEMS = st.lists(
    st.builds(
        Item,
        reference=REFERENCES,
        tags=TAGS,
        scoring=st.none()
        | st.builds(ItemRule, st.sampled_from([None, "per-question", "per-dichotomous", "dependent"])),
    ),
    unique_by=lambda item: item.reference,
)
DEFINITION = st.builds(
    SubscoreDefinition, id=st.just("x"), items=st.lists(REFERENCES, max_size=3).map(tuple), tags=TAGS
)


@given(DEFINITION, ITEMS, MARKS)
def test_no_part_of_any_session_is_more_than_its_whole(
    definition: SubscoreDefinition, items: list[Item], marks: list[Mark]
) -> None:
    whole = only(SubscoreDefinition(id="all", items=("a", "b", "c", "d")), items, marks)

    part = only(definition, items, marks)

    assert 0 <= part.num_unmarked <= part.num_attempted <= part.num_questions <= whole.num_questions == len(marks)
    assert 0 <= part.unmarked_max_score <= part.attempted_max_score <= part.max_score <= whole.max_score
    assert part.score <= whole.score
    assert set(part.items) <= set(whole.items)


@given(ITEMS, MARKS)
def test_parts_that_share_nothing_add_up_to_the_whole(items: list[Item], marks: list[Mark]) -> None:
    whole, left, right = calculate(
        [
            SubscoreDefinition(id="all", items=("a", "b", "c", "d")),
            SubscoreDefinition(id="left", items=("a", "b")),
            SubscoreDefinition(id="right", items=("c", "d")),
        ],
        items,
        marks,
    )

    for name in ("num_questions", "num_attempted", "num_unmarked", "score", "max_score", "attempted_max_score"):
        assert getattr(left, name) + getattr(right, name) == pytest.approx(getattr(whole, name))
