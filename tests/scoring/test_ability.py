"""Abilities by hand, and against the likelihood itself on a fine grid."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobgate.scoring.ability import BOUND, Evidence, ItemParameters, MostLikely, estimate

Answers = list[tuple[ItemParameters, bool]]

GRID = np.linspace(-8, 8, 16_001)
INSIDE = GRID[(GRID >= -BOUND) & (GRID <= BOUND)]


def item(b: float = 0.0, a: float = 1.0, c: float = 0.0) -> ItemParameters:
    """An item."""
    return ItemParameters(b=b, a=a, c=c)


def shown(answers: Answers) -> Evidence:
    """What some answers show."""
    evidence = Evidence()
    for parameters, right in answers:
        evidence.add(parameters, right)
    return evidence


def most_likely(*answers: tuple[ItemParameters, bool]) -> MostLikely:
    """The ML estimate from some answers."""
    return shown(list(answers)).find_most_likely()


# -- an independent computation --------------------------------------------------------------------------------------


def log_likelihood(answers: Answers, ability: Any) -> Any:
    """The logarithm of the probability of exactly these answers, from the definition."""
    total = np.zeros_like(np.asarray(ability, dtype=float))
    for parameters, right in answers:
        wrong = (1 - parameters.c) / (1 + np.exp(parameters.a * (ability - parameters.b)))
        total = total + np.log(1 - wrong if right else wrong)
    return total


def information(answers: Answers, ability: float) -> float:
    """Fisher's information as it is defined: P'² / (P (1 - P)), with a numerical P'."""
    total = 0.0
    for parameters, _ in answers:
        powers = [parameters.a * (ability + shift - parameters.b) for shift in (-1e-4, 0, 1e-4)]
        right = [parameters.c + (1 - parameters.c) / (1 + math.exp(-power)) for power in powers]
        wrong = [(1 - parameters.c) / (1 + math.exp(power)) for power in powers]
        low, _, high = min(right, wrong)  # the smaller one has the digits that the difference needs
        total += ((high - low) / 2e-4) ** 2 / (right[1] * wrong[1])
    return total


parameters = st.builds(
    item,
    st.floats(-3, 3),
    st.floats(0.2, 3),
    st.sampled_from([0.0, 0.1, 0.25]),
)
answers = st.lists(st.tuples(parameters, st.booleans()), min_size=1, max_size=40)


@settings(max_examples=60, deadline=None)
@given(answers)
def test_nothing_on_a_fine_grid_is_more_likely(answers: Answers) -> None:
    found = shown(answers).find_most_likely()

    assert -BOUND <= found.ability <= BOUND
    assert log_likelihood(answers, found.ability) >= log_likelihood(answers, INSIDE).max() - 1e-9
    assert found.standard_error == pytest.approx(1 / math.sqrt(information(answers, found.ability)), rel=1e-4)
    assert found.at_bound == (abs(found.ability) == BOUND)


@settings(max_examples=60, deadline=None)
@given(answers)
def test_the_expected_ability_is_the_mean_of_the_posterior(answers: Answers) -> None:
    logs = log_likelihood(answers, GRID) - GRID**2 / 2
    weights = np.exp(logs - logs.max())
    mean = np.average(GRID, weights=weights)
    deviation = math.sqrt(np.average((GRID - mean) ** 2, weights=weights))

    found = shown(answers).find_expected()

    assert found == pytest.approx((mean, deviation), abs=2e-5)
    assert found == estimate(answers)


@pytest.mark.parametrize("count", [100, 1000])
@pytest.mark.parametrize("a", [2.0, 10.0])
def test_much_evidence_is_weighed_as_exactly_as_little(count: int, a: float) -> None:
    """The posterior is narrower than any grid that one would use for a few items."""
    answers = [(item(0.123 + number % 7 / 100, a), number % 2 == 0) for number in range(count)]
    grid = np.linspace(-0.5, 0.8, 100_001)
    logs = log_likelihood(answers, grid) - grid**2 / 2
    weights = np.exp(logs - logs.max())
    mean = np.average(grid, weights=weights)
    deviation = math.sqrt(np.average((grid - mean) ** 2, weights=weights))

    found = shown(answers).find_expected()

    assert found == pytest.approx((mean, deviation), abs=1e-5)


# -- by hand ---------------------------------------------------------------------------------------------------------


def test_one_right_answer_has_no_peak_and_one_wrong_answer_none_either() -> None:
    best, worst = most_likely((item(), True)), most_likely((item(), False))

    assert (best.ability, best.at_bound) == (4.0, True)
    assert (worst.ability, worst.at_bound) == (-4.0, True)
    # The information of one Rasch item four logits away is P (1 - P) = 0.98201 x 0.01799.
    assert best.standard_error == worst.standard_error == pytest.approx(1 / math.sqrt(0.982014 * 0.017986), rel=1e-4)


def test_half_of_equal_items_right_is_their_difficulty() -> None:
    """By hand: with 2 of 4 right, P = 1/2, so the ability is b; the information is 4 x 2² x 1/4 = 4."""
    found = most_likely(*[(item(0.7, 2), right) for right in (True, False, True, False)])

    assert found == pytest.approx((0.7, 0.5, False))


def test_three_of_four_equal_items_right_is_a_logit_of_three_above() -> None:
    """By hand: P = 3/4 gives the difficulty plus ln 3; the information is 4 x 3/4 x 1/4."""
    found = most_likely(*[(item(-1), right) for right in (True, True, False, True)])

    assert found.ability == pytest.approx(-1 + math.log(3))
    assert found.standard_error == pytest.approx(1 / math.sqrt(0.75))


def test_guessing_takes_from_what_right_answers_show() -> None:
    """By hand: P = 1/4 + 3/4 L = 3/4 gives L = 2/3, the difficulty plus ln 2."""
    found = most_likely(*[(item(c=0.25), right) for right in (True, True, False, True)])

    assert found.ability == pytest.approx(math.log(2))


@pytest.mark.parametrize(("right", "ability"), [(True, BOUND), (False, -BOUND)], ids=["all right", "all wrong"])
@pytest.mark.parametrize("c", [0.0, 0.2])
def test_all_right_and_all_wrong_end_at_the_bounds_and_say_so(right: bool, ability: float, c: float) -> None:
    found = shown([(item(number / 10, 1.5, c), right) for number in range(-10, 11)])

    assert found.find_most_likely()[::2] == (ability, True)
    expected = found.find_expected()
    assert 1 < math.copysign(expected.ability, 1) < BOUND
    assert (expected.ability > 0) is right


def test_of_two_peaks_the_higher_one_is_found() -> None:
    """Guessing explains a right answer to a hard item as well as being able does: the likelihood has two peaks."""
    hard_guessed = [
        (item(1, 1, 0.2), False),
        (item(-1, 2, 0.2), True),
        (item(-1, 3, 0.25), True),
        (item(3, 3, 0.2), True),
    ]
    hard_known = [(item(3, 1, 0.25), False), (item(3, 3, 0.2), True), (item(-1, 3, 0.2), True)]

    for answers, higher, lower in ((hard_guessed, 0.02992, 3.099), (hard_known, 3.34637, 0.240)):
        slopes = np.diff(log_likelihood(answers, INSIDE))
        peaks = INSIDE[1:-1][(slopes[:-1] > 0) & (slopes[1:] <= 0)]
        assert sorted(peaks) == [pytest.approx(each, abs=2e-3) for each in sorted((higher, lower))]

        assert shown(answers).find_most_likely().ability == pytest.approx(higher, abs=1e-5)


def test_nothing_shown_is_what_was_assumed_before() -> None:
    assert estimate([]) == pytest.approx((0, 1), abs=1e-9)


def test_an_item_that_tells_nothing_has_no_standard_error() -> None:
    found = most_likely((item(a=5e-324), True))

    assert found.standard_error is None


@pytest.mark.parametrize("b", [-10.0, 10.0])
@pytest.mark.parametrize("a", [1e-300, 10.0])
@pytest.mark.parametrize("c", [0.0, math.nextafter(1, 0)])
@pytest.mark.parametrize("right", [True, False])
def test_the_most_extreme_items_have_finite_estimates(b: float, a: float, c: float, right: bool) -> None:
    for count in (1, 200):
        evidence = shown([(item(b, a, c), right), (item(-b, a, c), not right)] * count)

        for found in (evidence.find_most_likely(), evidence.find_expected()):
            assert math.isfinite(found.ability)
            assert found.standard_error is None or found.standard_error > 0


def test_the_order_of_answers_is_irrelevant() -> None:
    answers = [(item(number / 3, 1 + number / 10, 0.1), number % 3 > 0) for number in range(9)]

    there, back = shown(answers).find_expected(), shown(answers[::-1]).find_expected()

    assert there == pytest.approx(back)
