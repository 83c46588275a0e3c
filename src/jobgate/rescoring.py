"""Scoring stored responses anew, each from the question that was stored with it.

What no machine can mark keeps the score that it came with: a response without a question, one that waits for a person,
one whose question is unusable or whose maths could not be decided. Nothing is guessed, and nothing known is forgotten.

Sessions are scored under their locks. So the maths of a session has a few seconds, after which the rest of it is left
unmarked; and the maths of a batch has some more, after which sessions that still need some are left to another batch.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple

from jobgate import wire
from jobgate.db import Record, Transaction
from jobgate.scoring.maths.checks import MathCheck, Verdict, Verdicts
from jobgate.scoring.maths.evaluator import NO_TIME_LEFT, Evaluator
from jobgate.scoring.questions import Question, QuestionScore, read_question
from jobgate.scoring.subscores import Mark
from jobgate.session_scores import Tally, differ
from jobgate.turns import Turns

SESSION_S = 5.0
"""How long the maths of one session may take."""

BATCH_S = 20.0
"""How long the maths of all sessions of a batch may take."""

STAY_AWAKE_S = 3.0
"""Postgres ends a transaction that is silent for ten seconds."""

UNREADABLE = QuestionScore(None, None, False, True, "the question that is stored with the response cannot be read", ())


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


@dataclass(slots=True)
class _Answer:
    """A stored response, and what it earned; nothing where there is no question to score it by."""

    row: Record
    found: QuestionScore | None = None
    question: Question | None = None
    response: Any = None
    checks: list[MathCheck] = field(default_factory=list)
    """What must be judged first."""


class Maths:
    """Judges what was typed in the sessions of a batch, and remembers it for those who typed the same."""

    def __init__(self, evaluator: Evaluator, db: Transaction) -> None:
        self._evaluator = evaluator
        self._db = db
        self._known: dict[MathCheck, Verdict] = {}
        self._left_s = BATCH_S

    async def judge(self, checks: Collection[MathCheck]) -> Verdicts | None:
        """The verdicts on the checks of one session; None: the batch has no time left for it."""
        unknown = [check for check in checks if check not in self._known]
        found: dict[MathCheck, Verdict] = {}
        if unknown:
            if self._left_s <= 0:
                return None
            started = time.monotonic()
            found = await self._ask(unknown)
            self._left_s -= time.monotonic() - started
            # That one session had no time left says nothing to the next.
            self._known.update((check, verdict) for check, verdict in found.items() if verdict != NO_TIME_LEFT)
        return {check: found.get(check) or self._known[check] for check in checks}

    async def _ask(self, checks: Collection[MathCheck]) -> dict[MathCheck, Verdict]:
        judging = asyncio.create_task(self._evaluator.judge(checks, budget_s=SESSION_S))
        try:
            while not (await asyncio.wait([judging], timeout=STAY_AWAKE_S))[0]:
                await self._db.execute("stay_awake")
            return judging.result()
        finally:
            judging.cancel()


async def mark_responses(rows: Sequence[Record], tallies: dict[int, Tally], maths: Maths) -> list[Marked]:
    """Score the responses, and enter their marks into the tallies of their sessions; those whose marks have changed.

    The rows of a session stand together. The tallies of sessions for which there was no time left are taken out.
    """
    turns = Turns()
    questions: dict[bytes, Question] = {}
    changed: list[Marked] = []
    for number, own in groupby(rows, itemgetter("session_no")):
        answers: list[_Answer] = []
        for row in own:
            answers.append(_score(row, questions))
            await turns.pass_on()
        if not await _settle([answer for answer in answers if answer.checks], maths, turns):
            del tallies[number]
            continue
        for answer in answers:
            marked = _mark(answer.row, answer.found)
            if _enter(marked, answer.row, tallies[number]):
                changed.append(marked)
        await turns.pass_on()
    return changed


def _score(row: Record, questions: dict[bytes, Question]) -> _Answer:
    """Score one response; `questions` keeps those that were read, for many sessions share them."""
    text = row["question"]
    if text is None:
        return _Answer(row)
    try:
        question = questions.get(text)
        if question is None:
            question = questions[text] = read_question(wire.decode(text, Any))
        response = None if row["response"] is None else wire.decode(row["response"], Any)
    except (wire.Undecodable, RecursionError):
        return _Answer(row, UNREADABLE)
    found = question.score(response)
    # Only what could not be marked may lack verdicts, and looking for those costs as much as scoring.
    checks = question.list_checks(response) if found.error is not None else []
    return _Answer(row, found, question, response, checks)


async def _settle(answers: Sequence[_Answer], maths: Maths, turns: Turns) -> bool:
    """Score again with the verdicts that were missing; False: there is no time left to get them."""
    if not answers:
        return True
    verdicts = await maths.judge({check for answer in answers for check in answer.checks})
    if verdicts is None:
        return False
    for answer in answers:
        if answer.question is not None:
            answer.found = answer.question.score(answer.response, verdicts)
            await turns.pass_on()
    return True


def _mark(row: Record, found: QuestionScore | None) -> Marked:
    """The marks that a response deserves."""
    score, max_score = row["score"], row["max_score"]
    kept = Marked(
        row["session_no"], row["position"], score, max_score, row["attempted"], row["automarkable"], None, False
    )
    if found is None:
        return kept
    if found.error is not None:
        return kept._replace(error=found.error)
    if not found.automarkable:
        most = found.max_score if max_score is None else max_score
        return kept._replace(automarkable=False, max_score=most, moved=differ(most, max_score))
    moved = differ(found.score, score) or differ(found.max_score, max_score)
    if moved:
        score, max_score = found.score, found.max_score
    return Marked(kept.session_no, kept.position, score, max_score, found.attempted, True, None, moved)


def _enter(marked: Marked, row: Record, tally: Tally) -> bool:
    """Enter what counts: a score that a person gave comes first. Whether anything about the response has changed."""
    score = marked.score if row["manual_score"] is None else row["manual_score"]
    max_score = marked.max_score if row["max_manual_score"] is None else row["max_manual_score"]
    tally.marks.append(Mark(row["response_id"], row["item_reference"], marked.attempted, score, max_score))
    if marked.error is not None:
        tally.errors[row["response_id"]] = marked.error
    stored = row["attempted"], row["automarkable"], row["score_error"]
    changed = marked.moved or stored != (marked.attempted, marked.automarkable, marked.error)
    tally.changed = tally.changed or changed
    return changed
