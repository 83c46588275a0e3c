"""Checks in a line, and their verdicts by `decide` alone or with the algebra in this process."""

from __future__ import annotations

from typing import Any

from jobgate.scoring.maths import algebra
from jobgate.scoring.maths.checks import MathCheck, Verdict, decide, make_check


def check(method: str, key: str, answer: str, **options: Any) -> MathCheck:
    """The check that a question JSON with these words asks for."""
    return make_check({"method": method, "value": key, "options": options}, answer)


def judge(check: MathCheck) -> Verdict:
    """What comes of it where there is an algebra library."""
    return decide(check) or algebra.judge(check)
