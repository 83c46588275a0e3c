"""What was compiled, as readers see it: a group, the groups directly below it, a page of its users or questions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from jobgate import wire
from jobgate.datasets.definition import Dataset
from jobgate.datasets.fields import GROUP_FIELDS
from jobgate.datasets.places import Number, Page, Place, rounded
from jobgate.datasets.questions import DatasetActivity, DatasetQuestion, list_activities, list_questions
from jobgate.db import Record, Transaction
from jobgate.errors import ApiError, Code, shown

MAX_CHILDREN = 5000
_TOKEN = re.compile(r"([0-9]{1,18})\.([0-9]{1,9})")

Statistics: TypeAlias = dict[str, int | float | None]


class DatasetGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A group and its statistics, over the users in it and in the groups below it, every user once.

    Scores and percents are those of the users who have an attempt. A user's percent is 100 times score by max_score;
    users whose max_score is 0 have none. Percentiles interpolate between neighbours. The standard deviations are those
    of a population, not of a sample: the group is everybody there is.
    """

    key: str | None
    """Null for the root."""
    label: str | None
    """What the dataset calls groups with this key; else the key."""
    group_path: list[str]
    group_count: int | UnsetType = UNSET
    """Groups directly below."""
    population: int | UnsetType = UNSET
    """Users, those without an attempt included."""
    mean_seen_activities: Number = UNSET
    """Activities with an attempt, over the whole population."""
    mean_attempted_percent: Number = UNSET
    """100 times attempted_max_score by max_score."""
    lowest_score: Number = UNSET
    highest_score: Number = UNSET
    mean_score: Number = UNSET
    median_score: Number = UNSET
    p25_score: Number = UNSET
    p75_score: Number = UNSET
    p90_score: Number = UNSET
    stddev_score: Number = UNSET
    lowest_percent: Number = UNSET
    highest_percent: Number = UNSET
    mean_percent: Number = UNSET
    median_percent: Number = UNSET
    p25_percent: Number = UNSET
    p75_percent: Number = UNSET
    p90_percent: Number = UNSET
    stddev_percent: Number = UNSET


class DatasetUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user's sums over the most recent completed attempt at each activity; null without any attempt."""

    user_id: str
    score: Number = UNSET
    max_score: Number = UNSET
    attempted_max_score: Number = UNSET
    """Of responses that were attempted."""
    unscored_max_score: Number = UNSET
    """Of responses that were attempted and have no score yet."""
    seen_activities: int | UnsetType = UNSET
    """Activities with an attempt."""


class DatasetView(msgspec.Struct, frozen=True, kw_only=True):
    """One place in a dataset."""

    build: str
    """Which compilation this is: another one was published where it differs from that of an earlier answer."""
    group: DatasetGroup
    children: list[DatasetGroup]
    """The groups directly below; on the first page only."""
    users: list[DatasetUser] | UnsetType = UNSET
    """Users in the group and in the groups below it; not in an analysis."""
    activities: list[DatasetActivity] | UnsetType = UNSET
    """The activities that were analysed; on the first page of `activity-analysis-by-question` only."""
    questions: list[DatasetQuestion] | UnsetType = UNSET
    """The questions that were analysed, in the group and in the groups below it."""


async def view(
    db: Transaction, dataset: Dataset, path: Sequence[str], limit: int, token: str | None
) -> tuple[DatasetView, str | None]:
    """What there is at `path`, and the token of the next page. Children and activities come with the first page only.

    Raises 50000 when nothing was compiled yet, 20004 for a group or token that is none of this dataset's.
    """
    if dataset.build is None:
        raise ApiError(Code.dataset_not_ready, f"dataset {dataset.dataset_id} is not compiled yet")
    page = Page(0 if token is None else _read_token(token, dataset.build), limit)
    ids = (dataset.organisation_id, dataset.build)
    group = await db.fetchrow("find_dataset_group", *ids, list(path))
    if group is None:
        raise ApiError(Code.unsupported_value, f"`group_path` {shown(list(path))} names no group of the dataset")
    span = (group["number"], group["last"])
    children = [] if page.offset else await db.fetch("list_dataset_groups", *ids, *span, MAX_CHILDREN + 1)
    if len(children) > MAX_CHILDREN:
        raise ApiError(Code.answer_too_large, f"there are more than {MAX_CHILDREN} groups below; name one of them")
    users: list[DatasetUser] | UnsetType = UNSET
    activities: list[DatasetActivity] | UnsetType = UNSET
    questions: list[DatasetQuestion] | UnsetType = UNSET
    if dataset.type.is_analysis:
        place = Place(dataset.organisation_id, dataset.build, group["number"])
        questions, has_more = await list_questions(db, dataset, place, page)
        if page.offset == 0 and not dataset.type.spans_activities:
            activities = await list_activities(db, place)
    else:
        users, has_more = await _list_users(db, dataset, group, page)
    found = DatasetView(
        build=str(dataset.build),
        group=_show_group(dataset, group["path"], wire.decode(group["statistics"], Statistics)),
        children=_show_children(dataset, children),
        users=users,
        activities=activities,
        questions=questions,
    )
    return found, f"{dataset.build}.{page.offset + limit}" if has_more else None


async def _list_users(db: Transaction, dataset: Dataset, group: Record, page: Page) -> tuple[list[DatasetUser], bool]:
    """A page of the users, and whether there are more."""
    shape = dataset.presentation
    rows = await db.fetch(
        "list_dataset_users",
        dataset.organisation_id,
        dataset.build,
        group["number"],
        group["last"],
        shape.users_sort_field,
        1 if shape.users_sort_order == "asc" else -1,
        page.limit + 1,
        page.offset,
    )
    return [_show_user(dataset, row) for row in rows[: page.limit]], len(rows) > page.limit


def _show_children(dataset: Dataset, rows: Sequence[Record]) -> list[DatasetGroup]:
    """Sorted as the dataset was set to, those of an analysis by key; who lacks the field comes last."""
    shape = dataset.presentation
    field, is_descending = (
        ("key", False) if dataset.type.is_analysis else (shape.sort_field, shape.sort_order == "desc")
    )
    groups = [(row["path"], wire.decode(row["statistics"], Statistics)) for row in rows]
    if field == "key" or field == "label":
        groups.sort(key=lambda group: _label(dataset, group[0][-1], field), reverse=is_descending)
    else:
        groups.sort(key=lambda group: _rank(group[1][field], is_descending))
    return [_show_group(dataset, path, statistics) for path, statistics in groups]


def _rank(value: float | None, is_descending: bool) -> tuple[bool, float]:
    return (value is None, 0 if value is None else -value if is_descending else value)


def _show_group(dataset: Dataset, path: list[str], statistics: Statistics) -> DatasetGroup:
    key = path[-1] if path else None
    fields = GROUP_FIELDS if dataset.type.is_analysis else dataset.presentation.fields
    facts: dict[str, object] = {field: rounded(statistics[field]) for field in fields}
    facts |= {"key": key, "label": None if key is None else _label(dataset, key), "group_path": path}
    return msgspec.convert(facts, DatasetGroup)


def _show_user(dataset: Dataset, row: Record) -> DatasetUser:
    facts: dict[str, object] = {field: rounded(row[field]) for field in dataset.presentation.user_fields}
    return msgspec.convert(facts | {"user_id": row["user_id"]}, DatasetUser)


def _label(dataset: Dataset, key: str, field: str = "label") -> str:
    """What a group is called: its key, where no label was given."""
    return dataset.labels.get(key, key) if field == "label" else key


def _read_token(token: str, build: int) -> int:
    """The offset that a token stands for; pages of different results do not fit together."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        raise ApiError(Code.unsupported_value, "`next` must be the value that an earlier answer gave")
    if int(found[1]) != build:
        raise ApiError(Code.unsupported_value, "`next` belongs to results that were replaced; begin without it")
    return int(found[2])
