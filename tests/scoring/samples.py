"""Questions and responses as they are stored, with defaults."""

from __future__ import annotations

from typing import Any

from jobgate.scoring.questions import QuestionScore, score_question

Json = dict[str, Any]


def question(
    type: str, value: Any, *, score: float = 1, alt: list[tuple[float, Any]] | None = None, **more: Any
) -> Json:
    """A question with one solution, and alternatives as (score, value); `more` goes into its validation."""
    validation: Json = {"valid_response": {"score": score, "value": value}, **more}
    if alt is not None:
        validation["alt_responses"] = [{"score": points, "value": other} for points, other in alt]
    return {"type": type, "validation": validation}


def answer(asked: Json, value: Any) -> QuestionScore:
    """What the value earns."""
    return score_question(asked, {"value": value})


def marks(asked: Json, value: Any) -> tuple[float | None, float | None]:
    """Score and maximum."""
    scored = answer(asked, value)
    assert scored.error is None, scored
    return scored.score, scored.max_score
