"""What follows a try: pure decisions about one delivery and its target."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from jobgate.outbound import Answer

_MINUTE, _HOUR = 60.0, 3600.0

TRIED_AT_S = (0.0, 5.0, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR)
"""When a delivery is tried, from its first try on; after the last it has failed."""

_GAPS_S = tuple(later - earlier for earlier, later in pairwise(TRIED_AT_S))

JITTER = 0.1
"""Gaps are up to so much shorter or longer, so that what failed together does not come back together."""

LONGEST_WAIT_S = 24 * _HOUR
"""No `Retry-After` puts a target off for longer."""

_GONE = 410
_ASK_TO_WAIT = (429, 503)

_ANSWER_SHOWN = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a try ended: what becomes of the delivery, and what it says about the target."""

    state: Literal["delivered", "failed", "queued"]
    status: int | None = None
    error: str | None = None
    answer: str | None = None
    """The beginning of what the target said."""
    again_s: float = 0.0
    """When to try once more, from now."""
    target_waits_s: float | None = None
    """How long the target asked to be left alone."""
    is_gone: bool = False
    """The target wants nothing more, ever."""


def judge(outcome: Answer | Exception, rung: int, dice: float) -> Verdict:
    """The verdict on the try number `rung` (from 0), from the answer, or from what kept it from coming.

    `dice` is a number from 0 to 1 that the gaps are jittered by.
    """
    if isinstance(outcome, Exception):
        return _again(Verdict(state="queued", error=str(outcome)), rung, dice)
    # NUL is the one character that Postgres cannot keep.
    answer = outcome.body[:_ANSWER_SHOWN].decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    if 200 <= outcome.status < 300:
        return Verdict(state="delivered", status=outcome.status, answer=answer)
    if outcome.status == _GONE:
        error = "the target is gone (410)"
        return Verdict(state="failed", status=outcome.status, error=error, answer=answer, is_gone=True)
    redirects = 300 <= outcome.status < 400
    error = f"answered {outcome.status}" + (": redirects are not followed" if redirects else "")
    waits_s = None
    if outcome.status in _ASK_TO_WAIT and outcome.retry_after_s is not None:
        waits_s = min(outcome.retry_after_s, LONGEST_WAIT_S)
    verdict = Verdict(state="queued", status=outcome.status, error=error, answer=answer, target_waits_s=waits_s)
    return _again(verdict, rung, dice)


def _again(verdict: Verdict, rung: int, dice: float) -> Verdict:
    """The same, with the time of the next try, or failed when there is none left."""
    if rung >= len(_GAPS_S):
        return replace(verdict, state="failed")
    gap_s = _GAPS_S[rung] * (1 + JITTER * (2 * dice - 1))
    return replace(verdict, again_s=max(gap_s, verdict.target_waits_s or 0.0))
