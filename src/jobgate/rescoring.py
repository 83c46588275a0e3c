"""Scoring stored responses anew, each from the question that was stored with it.

What no machine can mark keeps the score that it came with: a response without a question, one that waits for a person,
one whose question is unusable or whose maths could not be decided. Nothing is guessed, and nothing known is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from jobgate import wire
from jobgate.db import Record
from jobgate.scoring.maths.checks import Verdicts
from jobgate.scoring.questions import score_question
from jobgate.scoring.subscores import Mark
from jobgate.session_scores import Tally, differ
from jobgate.turns import Turns

UNREADABLE_QUESTION = "the question that is stored with the response cannot be read"


class Marked(NamedTuple):
    """A response whose marks have changed, as it is to be stored."""

    session_no: int
    position: int
    score: float | None
    max_score: float | None
    attempted: bool
    automarkable: bool
    error: str | None
    moved: bool
    """Its score or its maximum is another than before."""


async def mark_responses(rows: Sequence[Record], tallies: Mapping[int, Tally]) -> list[Marked]:
    """Score the responses, and enter their marks into the tallies of their sessions; those whose marks have changed."""
    turns = Turns()
    questions: dict[bytes, Any] = {}
    changed = []
    for row in rows:
        marked = _mark(row, questions, {})
        tally = tallies[marked.session_no]
        manual, most = row["manual_score"], row["max_manual_score"]
        score = marked.score if manual is None else manual
        max_score = marked.max_score if most is None else most
        tally.marks.append(Mark(row["response_id"], row["item_reference"], marked.attempted, score, max_score))
        if marked.error is not None:
            tally.errors[row["response_id"]] = marked.error
        if marked.moved or marked[4:7] != (row["attempted"], row["automarkable"], row["score_error"]):
            tally.changed = True
            changed.append(marked)
        await turns.pass_on()
    return changed


def _mark(row: Record, questions: dict[bytes, Any], verdicts: Verdicts) -> Marked:
    """One response with the marks that it deserves; `questions` keeps what was read, for many share a question."""
    session_no, position, score, max_score = row["session_no"], row["position"], row["score"], row["max_score"]
    attempted, automarkable = row["attempted"], row["automarkable"]
    kept = Marked(session_no, position, score, max_score, attempted, automarkable, None, False)
    if row["question"] is None:
        return kept
    try:
        question = _read(row["question"], questions)
        response = None if row["response"] is None else wire.decode(row["response"], Any)
    except (wire.Undecodable, RecursionError):
        return kept._replace(error=UNREADABLE_QUESTION)
    found = score_question(question, response, verdicts)
    if found.error is not None:
        return kept._replace(error=found.error)
    if not found.automarkable:
        most = found.max_score if max_score is None else max_score
        return kept._replace(automarkable=False, max_score=most, moved=differ(most, max_score))
    moved = differ(found.score, score) or differ(found.max_score, max_score)
    if moved:
        score, max_score = found.score, found.max_score
    return Marked(session_no, position, score, max_score, found.attempted, True, None, moved)


def _read(text: bytes, questions: dict[bytes, Any]) -> Any:
    question = questions.get(text)
    if question is None:
        question = questions[text] = wire.decode(text, Any)
    return question
