"""Row 10: how many statements are judged in a second of one core."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from jobgate.bench.contest import Contest, Sides
from jobgate.bench.stage import Stage
from jobgate.bench.table import Mark
from jobgate.xapi.statements import validate

STATEMENTS = 1_000
HOME = "https://school.example"
VERBS = "http://adlnet.gov/expapi/verbs"
TYPES = "http://adlnet.gov/expapi/activities"


@asynccontextmanager
async def open_statements(stage: Stage) -> AsyncIterator[Sides]:
    """Decoded statements, in this process on both sides; its own time, whatever else the machine does."""
    from ralph.models.xapi.base.statements import BaseXapiStatement  # noqa: PLC0415 - only where the bench is installed

    statements = [make_statement(number) for number in range(STATEMENTS)]

    def judge(statement: Any) -> None:
        if violations := validate(statement, "1.0.3"):
            raise RuntimeError(f"a statement of the bench is refused: {violations}")

    async def judge_by_rules() -> float:
        return measure(judge, statements, stage.effort.seconds)

    async def judge_by_models() -> float:
        return measure(BaseXapiStatement.model_validate, statements, stage.effort.seconds)

    yield Sides(judge_by_rules, judge_by_models)


def measure(judge: Callable[[Any], object], statements: Sequence[Any], seconds: float) -> float:
    """Statements a second of this process."""
    judged = 0
    started = time.process_time()
    while time.process_time() < started + seconds:
        for statement in statements:
            judge(statement)
        judged += len(statements)
    return judged / (time.process_time() - started)


def make_statement(number: int) -> dict[str, Any]:
    """What a course sends: most of it answers to questions, some of it starts and ends."""
    statement: dict[str, Any] = {
        "id": str(UUID(int=number * 7919, version=4)),
        "actor": {"objectType": "Agent", "account": {"homePage": HOME, "name": f"learner-{number % 97}"}},
        "timestamp": f"2026-03-{number % 28 + 1:02}T09:{number % 60:02}:00.125Z",
        "context": {
            "registration": str(UUID(int=number % 97 + 1, version=4)),
            "contextActivities": {"grouping": [{"objectType": "Activity", "id": f"{HOME}/courses/{number % 5}"}]},
            "platform": "jobgate",
            "language": "en-US",
        },
    }
    makes = (_answer, _answer, _answer, _start, _end)
    return statement | makes[number % len(makes)](number, statement["context"])


def _start(number: int, _context: dict[str, Any]) -> dict[str, Any]:
    return {"verb": _verb("initialized"), "object": _activity("tests", "assessment", number)}


def _end(number: int, _context: dict[str, Any]) -> dict[str, Any]:
    score = {"scaled": number % 100 / 100, "raw": number % 100, "min": 0, "max": 100}
    return {
        "verb": _verb("completed"),
        "object": _activity("tests", "assessment", number),
        "result": {"score": score, "success": True, "completion": True, "duration": "PT31M5.5S"},
    }


def _answer(number: int, context: dict[str, Any]) -> dict[str, Any]:
    activity = _activity("questions", "cmi.interaction", number)
    activity["definition"] |= {
        "interactionType": "choice",
        "correctResponsesPattern": ["b"],
        "choices": [{"id": name, "description": {"en-US": f"Answer {name}"}} for name in "abcd"],
    }
    context["contextActivities"]["parent"] = [{"objectType": "Activity", "id": f"{HOME}/tests/{number % 11}"}]
    context["extensions"] = {f"{HOME}/attempt": number % 3}
    result = {
        "score": {"scaled": 1, "raw": 2, "min": 0, "max": 2},
        "success": True,
        "response": "b",
        "duration": "PT45S",
    }
    return {"verb": _verb("answered"), "object": activity, "result": result}


def _verb(name: str) -> dict[str, Any]:
    return {"id": f"{VERBS}/{name}", "display": {"en-US": name}}


def _activity(kind: str, type: str, number: int) -> dict[str, Any]:
    definition = {"name": {"en-US": f"{kind} {number}"}, "type": f"{TYPES}/{type}"}
    return {"objectType": "Activity", "id": f"{HOME}/{kind}/{number}", "definition": definition}


XAPI_ROWS = (
    Contest(Mark(10, "xAPI statements validated", "ralph-malph's models", 8, 20_000), "statements", open_statements),
)
