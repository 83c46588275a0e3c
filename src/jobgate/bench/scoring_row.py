"""Row 7: what scoring costs once sessions are rows and jobs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from functools import cache
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, Self

from jobgate import wire
from jobgate.bench.contest import WORKER, Contest, Sides
from jobgate.bench.engine_rows import ENTRIES, await_jobs, measure_span
from jobgate.bench.gateway_rows import empty_queue
from jobgate.bench.stage import CALLER, ORGANISATION_ID, Stage
from jobgate.bench.table import Mark
from jobgate.db import Record
from jobgate.demo import School, store_bank
from jobgate.jobs import FollowUp, follow_up
from jobgate.scoring import subscores
from jobgate.scoring.questions import Question, read_question
from jobgate.scoring.sessions import add_up
from jobgate.scoring.subscores import Item, SubscoreDefinition
from jobgate.sessions import import_sessions

SEED = "bench"
UNTIL = date(2026, 7, 1)


@cache
def decode_question(text: bytes) -> Any:
    """A question; many responses are to the same."""
    return wire.decode(text, Any)


class Answered(NamedTuple):
    """A response in memory."""

    response_id: str
    item_reference: str
    question: Any
    response: Any
    manual_score: float | None
    max_manual_score: float | None

    @classmethod
    def read(cls, row: Record) -> Self:
        """A row of `RESPONSES`."""
        return cls(
            row["response_id"],
            row["item_reference"],
            decode_question(row["question"]),
            wire.decode(row["response"] or b"null", Any),
            row["manual_score"],
            row["max_manual_score"],
        )


class Held(NamedTuple):
    """A session in memory, with all that scoring reads of it."""

    definitions: list[SubscoreDefinition]
    items: list[Item]
    responses: list[Answered]


@asynccontextmanager
async def open_scoring(stage: Stage) -> AsyncIterator[Sides]:
    """Responses a second. On our side no session has a score when a round begins, so every one is written."""
    school = School(SEED, UNTIL)
    count = stage.effort.rescores * ENTRIES
    await store_bank(stage.db, ORGANISATION_ID)
    await import_sessions(stage.db, ORGANISATION_ID, school.lines(count))
    held, names = await hold_sessions(stage)
    responses = sum(len(session.responses) for session in held)

    async def score_through_jobs() -> float:
        await empty_queue(stage)
        await stage.run_as_admin(*FORGET_SCORES)
        await queue_scoring(stage, names)
        async with stage.running(WORKER, "jobgate", "work"):
            await await_jobs(stage)
        await require_scores(stage)
        return responses / await measure_span(stage)

    async def score_in_memory() -> float:
        started = time.perf_counter()
        questions: dict[int, Question] = {}
        for session in held:
            score_session(session, questions)
        return responses / (time.perf_counter() - started)

    yield Sides(score_through_jobs, score_in_memory)


def score_session(session: Held, questions: dict[int, Question]) -> None:
    """All that there is to compute; `questions` has those that were read, by their place in memory."""
    marks = []
    for answered in session.responses:
        question = questions.get(id(answered.question))
        if question is None:
            question = questions[id(answered.question)] = read_question(answered.question)
        found = question.score(answered.response)
        score = found.score if answered.manual_score is None else answered.manual_score
        most = found.max_score if answered.max_manual_score is None else answered.max_manual_score
        marks.append(subscores.Mark(answered.response_id, answered.item_reference, found.attempted, score, most))
    add_up(session.items, marks)
    subscores.calculate(session.definitions, session.items, marks)


SESSIONS = "select id, session_id, subscore_definitions, items from session order by id"
RESPONSES = """select session_no, response_id, item_reference, question, response, manual_score, max_manual_score
from response order by session_no, position"""

FORGET_SCORES = (
    "update response set score = null, max_score = null, dt_score_updated = null, attempted = false",
    "update session set score = 0, max_score = 0, num_attempted = 0, subscores = '[]', scores_by = 0, subscores_by = 0",
    "vacuum analyze session",
    "vacuum analyze response",
    "checkpoint",
)


async def hold_sessions(stage: Stage) -> tuple[list[Held], list[str]]:
    """What is stored, in memory; and the names of the sessions."""
    async with stage.db.reading(ORGANISATION_ID) as tx:
        sessions = await tx.connection.fetch(SESSIONS)
        rows = await tx.connection.fetch(RESPONSES)
    responses = {number: list(map(Answered.read, group)) for number, group in groupby(rows, itemgetter("session_no"))}
    held = [
        Held(
            wire.decode(row["subscore_definitions"], list[SubscoreDefinition]),
            wire.decode(row["items"], list[Item]),
            responses[row["id"]],
        )
        for row in sessions
    ]
    return held, [row["session_id"] for row in sessions]


async def queue_scoring(stage: Stage, names: Sequence[str]) -> None:
    """Queue what follows when a hundred sessions at a time are completed."""
    asked = []
    for start in range(0, len(names), ENTRIES):
        params = {"session_id": names[start : start + ENTRIES]}
        rescore = FollowUp(consumer_key=CALLER.key, type="sessionrescore", params=params, entries=ENTRIES)
        after = rescore.reference
        part = FollowUp(
            consumer_key=CALLER.key, type="subscorecalculation", params=params, entries=ENTRIES, after=after
        )
        asked += [rescore, part]
    async with stage.db.transaction(ORGANISATION_ID) as tx:
        await follow_up(tx, ORGANISATION_ID, asked)
    await stage.run_as_admin("vacuum analyze job", "checkpoint")


async def require_scores(stage: Stage) -> None:
    """Was every session scored?"""
    async with stage.db.reading(ORGANISATION_ID) as tx:
        left = await tx.connection.fetchval(
            "select count(*) from session where max_score = 0 or subscores::text = '[]'"
        )
    if left:
        raise RuntimeError(f"{left} sessions were not scored")


SCORING_ROWS = (
    Contest(Mark(7, "rescoring and subscores", "the pure functions, in memory", 0.3), "responses", open_scoring),
)
