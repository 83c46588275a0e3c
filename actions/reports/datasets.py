"""Set what a dataset shall be, and read what was compiled of it."""

from __future__ import annotations

import uuid
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from jobgate import jobs
from jobgate.context import Context, Reply, Request
from jobgate.datasets.definition import Dataset, Filters, find_dataset, replace_dataset
from jobgate.datasets.fields import Direction, Field, Order, UserField, UserOrder
from jobgate.datasets.lines import Key
from jobgate.datasets.presentation import choose
from jobgate.datasets.readiness import MAX_ACTIVITIES, judge
from jobgate.datasets.results import DatasetView, view
from jobgate.datasets.types import require_type
from jobgate.datasets.uploads import Target, make_url
from jobgate.errors import ApiError, Code
from jobgate.registry import action
from jobgate.times import Moment, read_moment


class DatasetFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which attempts count."""

    activity_id: Annotated[
        list[Annotated[str, Meta(min_length=1, max_length=255)]], Meta(max_length=MAX_ACTIVITIES)
    ] = []
    """The activities; all of the organisation when absent, if there are at most ten."""
    mintime: Moment | None = None
    """Attempts completed before do not count."""
    maxtime: Moment | None = None
    """Attempts completed after do not count."""


class DatasetOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown, and in which order. Those who lack the field that is sorted by come last."""

    default_sort_field: Order | None = None
    """What groups are sorted by (when absent `mean_score`), or the questions of an analysis (`p_value`)."""
    default_sort_order: Direction = "desc"
    fields: tuple[Field, ...] | None = None
    """What is shown of groups, or of the questions of an analysis; all when absent."""
    default_users_sort_field: UserOrder | None = None
    """What users are sorted by, `score` when absent; an analysis has no users."""
    default_users_sort_order: Direction | None = None
    """`desc` when absent."""
    user_fields: tuple[UserField, ...] | None = None
    """What is shown of users; all when absent."""


class DatasetLabel(msgspec.Struct, frozen=True, kw_only=True):
    """What groups with this key are called."""

    key: Key
    label: Annotated[str, Meta(max_length=1024)]


class SetDataset(Request, frozen=True, kw_only=True):
    """A dataset to compile."""

    dataset_type: str
    """`activity-summary-by-group`, `sessions-summary-by-group`, `activity-analysis-by-question` or
    `ibk-analysis-by-question`."""
    dataset_id: uuid.UUID | None = None
    """Made when absent; a dataset with this id is replaced."""
    file_count: Annotated[int, Meta(ge=0, le=100)]
    """How many files will be uploaded. 0: none, compile at once, from those that an earlier call with this
    `dataset_id` asked for, else from everybody whose attempts the filters let through."""
    filters: DatasetFilters = DatasetFilters()
    options: DatasetOptions = DatasetOptions()
    groups: Annotated[tuple[DatasetLabel, ...], Meta(max_length=10_000)] = ()
    """Labels of groups; a group without one is called by its key."""


class DatasetPlaces(msgspec.Struct, frozen=True, kw_only=True):
    """Where the files of a dataset go."""

    dataset_id: uuid.UUID
    dataset_type: str
    input_files: list[str]
    """One URL for each file: PUT one JSON object a line, `{"user_id", "group_path": [...], "session_ids": [...]}`,
    within 60 minutes; the last is for `sessions-summary-by-group` and for analyses."""
    job_reference: uuid.UUID | UnsetType = UNSET
    """The job that compiles; only when `file_count` is 0."""


class GetDataset(Request, frozen=True, kw_only=True):
    """A place in a dataset."""

    dataset_id: uuid.UUID
    group_path: tuple[str, ...] = ()
    """Keys from the root to the group; absent or empty: the root."""
    limit: Annotated[int, Meta(ge=1)] = 50
    """How many users or questions a page has, at most 1000."""
    next: str | None = None
    """Continues where an answer with this `next` ended; such pages have no children."""


MAX_LIMIT = 1000


@action("set", guarded=True)
async def set_dataset(ctx: Context, request: SetDataset) -> DatasetPlaces:
    """Set a dataset and get the URLs where its files go; without files, start the job that compiles it."""
    dataset = _read_dataset(ctx, request)
    numbers = range(1, dataset.file_count + 1)
    now_s = ctx.now.timestamp()
    reference = None if numbers else uuid.uuid4()
    answer = DatasetPlaces(
        dataset_id=dataset.dataset_id,
        dataset_type=dataset.type.name,
        input_files=[
            make_url(ctx.key, ctx.settings.public_url, Target(ctx.organisation_id, dataset.dataset_id, number), now_s)
            for number in numbers
        ],
        job_reference=UNSET if reference is None else reference,
    )
    async with ctx.db.transaction(ctx.organisation_id) as tx:
        await jobs.accept(ctx, tx, answer)
        await replace_dataset(tx, dataset)
        if reference is not None:
            params = await judge(tx, await find_dataset(tx, ctx.organisation_id, dataset.dataset_id))
            await jobs.insert(
                tx,
                reference=reference,
                organisation_id=ctx.organisation_id,
                consumer_key=ctx.caller.key,
                type="datasetcompile",
                params=params,
            )
    if reference is not None:
        ctx.ring()
    return answer


@action("get")
async def get_dataset(ctx: Context, request: GetDataset) -> Reply[DatasetView]:
    """Read a group of a compiled dataset: its statistics, the groups below it, and users or questions page by page."""
    async with ctx.db.reading(ctx.organisation_id) as tx:
        dataset = await find_dataset(tx, ctx.organisation_id, request.dataset_id)
        found, following = await view(tx, dataset, request.group_path, min(request.limit, MAX_LIMIT), request.next)
    listed = found.questions or found.users or []
    return Reply(data=found, records=len(listed), next=following)


def _read_dataset(ctx: Context, request: SetDataset) -> Dataset:
    kind, filters, options = require_type(request.dataset_type), request.filters, request.options
    mintime = read_moment(filters.mintime, "filters.mintime")
    maxtime = read_moment(filters.maxtime, "filters.maxtime")
    if mintime is not None and maxtime is not None and mintime > maxtime:
        raise ApiError(Code.unsupported_value, "`filters.mintime` must not be after `filters.maxtime`")
    return Dataset(
        organisation_id=ctx.organisation_id,
        dataset_id=request.dataset_id or uuid.uuid4(),
        type=kind,
        file_count=request.file_count,
        filters=Filters(activity_id=list(dict.fromkeys(filters.activity_id)), mintime=mintime, maxtime=maxtime),
        presentation=choose(
            kind,
            fields=options.fields,
            sort_field=options.default_sort_field,
            sort_order=options.default_sort_order,
            user_fields=options.user_fields,
            users_sort_field=options.default_users_sort_field,
            users_sort_order=options.default_users_sort_order,
        ),
        labels={group.key: group.label for group in request.groups},
    )
