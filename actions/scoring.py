"""Score responses that are stored nowhere."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from jobgate.context import Context, Request
from jobgate.errors import ApiError, Code
from jobgate.registry import action
from jobgate.scoring.questions import QuestionScore, read_question
from jobgate.scoring.subscores import TOLERANCE
from jobgate.turns import Turns

Json = dict[str, Any]

MAX_QUESTIONS = 1000

MATHS_S = 5.0
"""How long the maths of one call may take; what is not decided then stays unmarked."""


class ScoreResponses(Request, frozen=True, kw_only=True):
    """Questions, and what was answered."""

    questions: Annotated[list[Json], Meta(min_length=1, max_length=MAX_QUESTIONS)]
    """Full question JSON, each with its `response_id`."""
    responses: dict[str, Json | None] = msgspec.field(default_factory=dict)
    """By `response_id`; what was answered is under `value`."""
    partial_scores: bool = False
    """Tell of every area of an answer whether it was right; scores stay the same."""


class ResponseScore(msgspec.Struct, frozen=True, kw_only=True):
    """What one response earned."""

    response_id: str
    type: str | None
    """The question's type; null if it has none."""
    is_valid: bool
    """Whether it earned all that the question gives."""
    score: float | None
    """Null: not attempted, left to a person, or `error` says why."""
    max_score: float | None
    attempted: bool
    error: str | None
    """Why it could not be marked."""
    areas: list[bool | None] | UnsetType = UNSET
    """Right, wrong, or null for not answered, area by area; only with `partial_scores`."""


@action("get")
async def score_responses(ctx: Context, request: ScoreResponses) -> list[ResponseScore]:
    """Score responses by the given questions, in their order. A question that cannot be used spoils no other."""
    named = [(_read_id(asked, index), asked) for index, asked in enumerate(request.questions)]
    turns = Turns()
    questions, checks = [], []
    for response_id, asked in named:
        question = read_question(asked)
        questions.append(question)
        checks += question.list_checks(request.responses.get(response_id))
        await turns.pass_on()
    verdicts = await ctx.maths.judge(checks, budget_s=MATHS_S)
    scores = []
    for (response_id, asked), question in zip(named, questions, strict=True):
        scored = question.score(request.responses.get(response_id), verdicts)
        scores.append(_show(response_id, asked, scored, tells_areas=request.partial_scores))
        await turns.pass_on()
    return scores


def _read_id(question: Json, index: int) -> str:
    response_id = question.get("response_id")
    if response_id is None:
        raise ApiError(Code.missing_parameter, f"`questions[{index}].response_id` must have a non-null value")
    if not isinstance(response_id, str):
        raise ApiError(Code.wrong_type, f"`questions[{index}].response_id` must be a string")
    return response_id


def _show(response_id: str, question: Json, scored: QuestionScore, *, tells_areas: bool) -> ResponseScore:
    name = question.get("type")
    return ResponseScore(
        response_id=response_id,
        type=name if isinstance(name, str) else None,
        is_valid=_is_full(scored),
        score=scored.score,
        max_score=scored.max_score,
        attempted=scored.attempted,
        error=scored.error,
        areas=list(scored.areas) if tells_areas else UNSET,
    )


def _is_full(scored: QuestionScore) -> bool:
    """Practice gives 0 of 0, which is not everything but nothing."""
    if scored.score is None or not scored.max_score:
        return False
    return scored.score >= scored.max_score - TOLERANCE
