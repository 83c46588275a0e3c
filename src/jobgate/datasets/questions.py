"""What an analysis says of questions and of the activities that ask them; `docs/datasets.md` has every formula."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import msgspec
from msgspec import UNSET, UnsetType

from jobgate.datasets.definition import Dataset
from jobgate.datasets.fields import QUESTION_NUMBERS
from jobgate.datasets.places import Number, Page, Place, rounded
from jobgate.db import Record, Transaction
from jobgate.errors import ApiError, Code

MAX_OPTIONS = 100
MAX_SHOWN_ACTIVITIES = 1000


class DatasetOption(msgspec.Struct, frozen=True, kw_only=True):
    """An alternative of a question, as responses hold it."""

    area: int | None
    """The gap, stem or cell it was chosen for, from 0; null where the question has one list."""
    value: str
    """The first 100 characters."""
    count: int
    """Attempts in which it was chosen."""
    share: float
    """Of all attempts."""


class DatasetQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """A question and its statistics, over the attempts of the users in the group and in the groups below it.

    What counts is every response with a mark and a maximum above 0; one that was not attempted has the mark 0, and one
    that waits for its mark does not count. A mark that a person gave comes before that of the machine.
    """

    activity_id: str | None
    """Null where the question is looked at across activities."""
    question_reference: str
    """Within an activity the response id, for a question without reference."""
    item_reference: str
    question_type: str
    responses: int | UnsetType = UNSET
    """How often the question was put."""
    attempts: int | UnsetType = UNSET
    """How often somebody tried."""
    unmarked: int | UnsetType = UNSET
    """Attempts that wait for their mark."""
    max_score: Number = UNSET
    """The largest maximum that it had."""
    mean_score: Number = UNSET
    stddev_score: Number = UNSET
    """Of a population."""
    p_value: Number = UNSET
    """The mean share of the maximum, from 0 (nobody could) to 1."""
    point_biserial: Number = UNSET
    """Correlation of the share reached here and the share reached in the whole session."""
    corrected_point_biserial: Number = UNSET
    """The same with the rest of the session, without this question."""
    options: list[DatasetOption] | UnsetType = UNSET
    """Of questions with alternatives: those that were chosen most often, at most 100, by area."""


class DatasetActivity(msgspec.Struct, frozen=True, kw_only=True):
    """An activity as a test: its sessions that have nothing left to mark."""

    activity_id: str
    sessions: int
    """All that count."""
    marked_sessions: int
    """Those in which no attempt waits for its mark; the rest is over these."""
    questions: int
    """Questions with a mark."""
    mean_score: float | None
    stddev_score: float | None
    """Of a population."""
    cronbach_alpha: float | None
    """Null for less than two questions, for equal scores, and where not every session had every question once."""


async def list_questions(
    db: Transaction, dataset: Dataset, place: Place, page: Page
) -> tuple[list[DatasetQuestion], bool]:
    """A page of the questions of a group, and whether there are more."""
    shape = dataset.presentation
    rows = await db.fetch(
        "list_dataset_questions",
        *place,
        shape.sort_field,
        1 if shape.sort_order == "asc" else -1,
        page.limit + 1,
        page.offset,
    )
    shown = rows[: page.limit]
    options: dict[int, list[DatasetOption]] = {}
    if "options" in shape.fields:
        options = await _list_options(db, place, shown)
    numbers = [name for name in QUESTION_NUMBERS if name in shape.fields]
    questions = [_show(row, numbers, options.get(index, UNSET)) for index, row in enumerate(shown)]
    return questions, len(rows) > page.limit


async def list_activities(db: Transaction, place: Place) -> list[DatasetActivity]:
    """The activities of a group, by name."""
    rows = await db.fetch("list_dataset_activities", *place, MAX_SHOWN_ACTIVITIES + 1)
    if len(rows) > MAX_SHOWN_ACTIVITIES:
        raise ApiError(Code.answer_too_large, f"there are more than {MAX_SHOWN_ACTIVITIES} activities; filter them")
    return [
        DatasetActivity(
            activity_id=row["activity_id"],
            sessions=row["sessions"],
            marked_sessions=row["whole_sessions"],
            questions=row["questions"],
            mean_score=rounded(row["mean_score"]),
            stddev_score=rounded(row["stddev_score"]),
            cronbach_alpha=rounded(row["cronbach_alpha"]),
        )
        for row in rows
    ]


async def _list_options(db: Transaction, place: Place, shown: Sequence[Record]) -> dict[int, list[DatasetOption]]:
    """The alternatives that were chosen, by the index of the question."""
    rows = await db.fetch(
        "list_dataset_options",
        *place,
        [row["activity_id"] for row in shown],
        [row["question_reference"] for row in shown],
        MAX_OPTIONS,
    )
    options = defaultdict[int, list[DatasetOption]](list)
    for row in rows:
        index = row["place"] - 1
        options[index].append(
            DatasetOption(
                area=None if row["area"] < 0 else row["area"],
                value=row["value"],
                count=row["chosen"],
                share=round(row["chosen"] / shown[index]["attempts"], 4),
            )
        )
    return options


def _show(row: Record, numbers: Sequence[str], options: list[DatasetOption] | UnsetType) -> DatasetQuestion:
    facts: dict[str, object] = {name: rounded(row[name]) for name in numbers}
    return DatasetQuestion(
        activity_id=row["activity_id"] or None,
        question_reference=row["question_reference"],
        item_reference=row["item_reference"],
        question_type=row["question_type"],
        options=options,
        **facts,  # type: ignore[arg-type]  # each is the column of its name
    )
