"""What follows a try."""

from __future__ import annotations

from itertools import accumulate

import pytest

from jobgate.outbound import Answer, Forbidden, Unreachable
from jobgate.outbox.ladder import LONGEST_WAIT_S, judge

MIDDLE = 0.5
"""A throw of the dice that changes nothing."""


def answer(status: int, body: bytes = b"", retry_after_s: float | None = None) -> Answer:
    """What a target says."""
    return Answer(status, body, retry_after_s)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_delivered(status: int) -> None:
    verdict = judge(answer(status, b"thanks"), 0, MIDDLE)

    assert (verdict.state, verdict.status, verdict.error, verdict.answer) == ("delivered", status, None, "thanks")


@pytest.mark.parametrize("status", [101, 301, 302, 307, 400, 401, 403, 404, 409, 429, 500, 502, 503])
def test_everything_else_is_tried_again(status: int) -> None:
    verdict = judge(answer(status), 0, MIDDLE)

    assert (verdict.state, verdict.status, verdict.again_s, verdict.is_gone) == ("queued", status, 5, False)
    assert verdict.error is not None


@pytest.mark.parametrize("error", [Unreachable("no answer"), Forbidden("inside")])
def test_no_answer_is_tried_again(error: Exception) -> None:
    verdict = judge(error, 0, MIDDLE)

    assert (verdict.state, verdict.status, verdict.error, verdict.answer) == ("queued", None, str(error), None)


def test_tries_come_later_and_later_for_a_day_and_then_it_has_failed() -> None:
    verdicts = [judge(answer(500), rung, MIDDLE) for rung in range(10)]

    at_s = list(accumulate(verdict.again_s for verdict in verdicts[:-1]))
    assert at_s == [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert [verdict.state for verdict in verdicts] == ["queued"] * 9 + ["failed"]
    assert judge(answer(500), 99, MIDDLE).state == "failed"


def test_gaps_are_spread_by_a_tenth() -> None:
    assert judge(answer(500), 0, 0.0).again_s == pytest.approx(4.5)
    assert judge(answer(500), 0, 1.0).again_s == pytest.approx(5.5)


def test_gone_is_the_end_for_the_delivery_and_the_target() -> None:
    verdict = judge(answer(410), 0, MIDDLE)

    assert (verdict.state, verdict.is_gone) == ("failed", True)


@pytest.mark.parametrize("status", [429, 503])
def test_a_target_that_asks_for_time_gets_it(status: int) -> None:
    verdict = judge(answer(status, retry_after_s=600), 0, MIDDLE)

    assert (verdict.state, verdict.again_s, verdict.target_waits_s) == ("queued", 600, 600)


def test_asking_for_less_than_the_gap_does_not_shorten_it() -> None:
    assert judge(answer(429, retry_after_s=1), 2, MIDDLE).again_s == 1500


def test_nobody_gets_more_than_a_day() -> None:
    assert judge(answer(429, retry_after_s=1e9), 0, MIDDLE).again_s == LONGEST_WAIT_S


def test_others_cannot_ask_for_time() -> None:
    assert judge(answer(500, retry_after_s=600), 0, MIDDLE).target_waits_s is None


def test_the_first_kibibyte_of_an_answer_is_kept_fit_for_the_database() -> None:
    verdict = judge(answer(500, b"\0\xff" + b"y" * 5000), 0, MIDDLE)

    assert verdict.answer == "\N{REPLACEMENT CHARACTER}" * 2 + "y" * 1022
