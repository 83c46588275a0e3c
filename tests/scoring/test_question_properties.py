"""What must hold for any sensible question and any answer to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobgate.scoring.questions import score_question
from tests.scoring.samples import Json, answer, question

WORDS = st.sampled_from(["a", "b", "c", "d", "e"])
INDEXES = st.integers(0, 5)
GAPS = st.lists(st.none() | WORDS, max_size=6)
GROUPS = st.lists(st.lists(INDEXES, max_size=4, unique=True), max_size=5)

VALUES: dict[str, tuple[st.SearchStrategy[Any], st.SearchStrategy[Any]]] = {
    # what may be right, and what may be answered
    "mcq": (st.lists(WORDS, min_size=1, unique=True), st.lists(WORDS, unique=True)),
    "tokenhighlight": (st.lists(INDEXES, min_size=1, unique=True), st.lists(INDEXES, unique=True)),
    "choicematrix": (st.lists(INDEXES, min_size=1), st.lists(st.none() | INDEXES)),
    "clozetext": (st.lists(WORDS, min_size=1, max_size=5), GAPS),
    "clozedropdown": (st.lists(WORDS, min_size=1, max_size=5), GAPS),
    "association": (st.lists(WORDS, min_size=1, max_size=5), GAPS),
    "orderlist": (st.permutations(range(5)), st.permutations(range(5))),
    "sortlist": (st.permutations(range(5)), st.lists(st.none() | INDEXES, max_size=5)),
    "classification": (GROUPS.filter(any), GROUPS),
    "shorttext": (WORDS, WORDS),
}
COMMON = ["exactMatch", "partialMatch", "partialMatchV2"]
MODES = {
    **dict.fromkeys(VALUES, COMMON),
    "orderlist": [*COMMON, "partialMatchPairwise"],
    "classification": [*COMMON, "partialMatchElement", "partialMatchElementV2"],
}
POINTS = st.integers(0, 40).map(lambda quarters: quarters / 4)


@st.composite
def questions(draw: st.DrawFn, *types: str, modes: list[str] | None = None) -> tuple[Json, Any]:
    """A question that can be used, with an answer that may be right."""
    type = draw(st.sampled_from(types or sorted(VALUES)))
    keys, answers = VALUES[type]
    asked = question(
        type,
        draw(keys),
        score=draw(POINTS),
        alt=draw(st.lists(st.tuples(POINTS, keys), max_size=2)),
        scoring_type=draw(st.sampled_from(modes or MODES[type])),
        penalty=draw(POINTS),
        rounding=draw(st.sampled_from(["none", "floor"])),
    )
    return asked, draw(keys | answers)


@given(questions())
def test_scores_lie_between_nothing_and_the_maximum(sample: tuple[Json, Any]) -> None:
    scored = answer(*sample)

    assert scored.error is None
    assert scored.max_score is not None
    assert (scored.score is None) is (not scored.attempted)
    assert 0 <= (scored.score or 0) <= scored.max_score


@given(questions())
def test_a_negative_score_is_what_a_clamp_would_hide(sample: tuple[Json, Any]) -> None:
    asked, value = sample
    clamped = answer(asked, value).score
    free = answer(asked | {"validation": asked["validation"] | {"allow_negative_scores": True}}, value).score

    assert clamped == (None if free is None else max(free, 0))


@given(questions())
def test_scoring_again_gives_the_same(sample: tuple[Json, Any]) -> None:
    assert answer(*sample) == answer(*sample)


@given(questions())
def test_the_best_solution_itself_earns_the_maximum(sample: tuple[Json, Any]) -> None:
    asked, _ = sample
    rules = asked["validation"] | {"rounding": "none"}
    keys = [rules["valid_response"], *rules["alt_responses"]]
    scored = [answer(asked | {"validation": rules}, key["value"]) for key in keys]

    assert max(each.score or 0 for each in scored) == scored[0].max_score


@given(questions())
def test_another_solution_never_lowers_a_score(sample: tuple[Json, Any]) -> None:
    asked, value = sample
    alone = answer(asked | {"validation": asked["validation"] | {"alt_responses": []}}, value).score

    assert (answer(asked, value).score or 0) >= (alone or 0)


@given(questions("mcq", "tokenhighlight"), st.randoms(use_true_random=False))
def test_the_order_of_choices_is_irrelevant(sample: tuple[Json, Any], random: Any) -> None:
    asked, value = sample
    before = answer(asked, value)

    for key in (asked["validation"]["valid_response"], *asked["validation"]["alt_responses"]):
        random.shuffle(key["value"])
    shuffled = random.sample(value, len(value))

    assert answer(asked, shuffled)[:3] == before[:3]


@given(questions("classification"), st.randoms(use_true_random=False))
def test_the_order_within_a_cell_is_irrelevant(sample: tuple[Json, Any], random: Any) -> None:
    asked, value = sample

    assert answer(asked, [random.sample(cell, len(cell)) for cell in value])[:3] == answer(asked, value)[:3]


@given(questions("clozetext", "clozedropdown", "association", "choicematrix", modes=COMMON[1:]), st.data())
def test_a_right_area_more_never_lowers_a_partial_score(sample: tuple[Json, Any], data: st.DataObject) -> None:
    asked, value = sample
    right = asked["validation"]["valid_response"]["value"]
    asked["validation"]["alt_responses"] = []
    place = data.draw(st.integers(0, len(right) - 1))
    better = [*value, *[None] * (len(right) - len(value))]
    better[place] = right[place]

    assert (answer(asked, better).score or 0) >= (answer(asked, value).score or 0)


@given(questions("mcq", "tokenhighlight", modes=COMMON[1:]), st.data())
def test_a_right_choice_more_never_lowers_a_partial_score(sample: tuple[Json, Any], data: st.DataObject) -> None:
    asked, value = sample
    right = data.draw(st.sampled_from(asked["validation"]["valid_response"]["value"]))
    asked["validation"]["alt_responses"] = []

    assert (answer(asked, [*value, right]).score or 0) >= (answer(asked, value).score or 0)


@given(st.permutations(range(7)), st.permutations(range(7)))
def test_pairs_earn_their_share_however_they_are_counted(right: list[int], given: list[int]) -> None:
    pairs = [(first, second) for at, first in enumerate(right) for second in right[at + 1 :]]
    kept = sum(given.index(first) < given.index(second) for first, second in pairs)

    score = answer(question("orderlist", right, score=21, scoring_type="partialMatchPairwise"), given).score

    assert score == kept


@given(questions())
def test_areas_tell_what_was_earned(sample: tuple[Json, Any]) -> None:
    asked, value = sample
    plain = question(asked["type"], asked["validation"]["valid_response"]["value"], scoring_type="partialMatch")

    scored = answer(plain, value)

    assert scored.max_score == len(scored.areas)
    assert (scored.score or 0) == scored.areas.count(True)


@pytest.mark.parametrize("response", [None, {}, {"value": None}])
@given(questions())
def test_without_an_attempt_only_the_maximum_is_known(response: Json | None, sample: tuple[Json, Any]) -> None:
    asked, value = sample

    scored = score_question(asked, response)

    assert (scored.score, scored.max_score, scored.attempted) == (None, answer(asked, value).max_score, False)
    assert set(scored.areas) == {None}
