"""Setting datasets and reading what was compiled of them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from jobgate.embedded import Servers
from jobgate.testing import House, open_house
from tests.datasets.samples import (
    BANK,
    SESSIONS,
    TYPE,
    add_attempt,
    compile_dataset,
    count,
    finish,
    line,
    put,
    read,
    set_dataset,
    upload,
)


@pytest.fixture(scope="module")
async def shared_house(servers: Servers) -> AsyncIterator[House]:
    """One for tests that do not care what else is there."""
    async with open_house(servers) as house:
        await add_attempt(house, "ann", "maths", 3, 10)
        yield house


async def test_set_answers_a_url_for_each_file(shared_house: House) -> None:
    reply = await shared_house.call("reports/datasets", "set", {"dataset_type": TYPE, "file_count": 3})

    data = reply.data
    assert set(data) == {"dataset_id", "dataset_type", "input_files"}
    assert data["dataset_type"] == TYPE
    assert str(uuid.UUID(data["dataset_id"])) == data["dataset_id"]
    prefix = f"http://127.0.0.1:8080/uploads/{data['dataset_id']}"
    assert [url.partition("?")[0] for url in data["input_files"]] == [f"{prefix}/{number}" for number in (1, 2, 3)]


async def test_a_dataset_takes_the_id_that_it_is_given(shared_house: House) -> None:
    dataset_id = str(uuid.uuid4())

    assert (await set_dataset(shared_house, dataset_id=dataset_id))["dataset_id"] == dataset_id


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        ({"dataset_type": None}, 20000, "`dataset_type`"),
        ({"dataset_type": "x"}, 44000, "`dataset_type` 'x' is unknown; there are activity-summary-by-group, sessions-"),
        ({"dataset_id": "x"}, 20004, "`dataset_id`"),
        ({"file_count": None}, 20000, "`file_count`"),
        ({"file_count": -1}, 20003, "`file_count`"),
        ({"file_count": 101}, 20003, "`file_count`"),
        ({"file_count": 0, "dataset_type": SESSIONS}, 50000, "has no sessions: set it with a `file_count`"),
        ({"file_count": 0, "filters": {"activity_id": ["x"]}}, 50000, "has no attempts"),
        ({"filters": {"activity_id": ["a"] * 11}}, 20002, "`filters.activity_id`"),
        ({"filters": {"activity_id": [""]}}, 20001, "`filters.activity_id[0]`"),
        ({"filters": {"mintime": "yesterday"}}, 20003, "`filters.mintime`"),
        ({"filters": {"maxtime": "9" * 30}}, 20003, "`filters.maxtime`"),
        ({"filters": {"mintime": 2, "maxtime": 1}}, 20004, "`filters.mintime` must not be after `filters.maxtime`"),
        ({"options": {"fields": ["size"]}}, 20004, "`options.fields[0]` must be one of attempts"),
        ({"options": {"fields": ["population", "p_value"]}}, 20004, "`options.fields[1]` must be one of group_count"),
        ({"options": {"default_sort_field": "p_value"}}, 20004, "for activity-summary-by-group, not p_value"),
        ({"dataset_type": BANK, "options": {"fields": ["population"]}}, 20004, "`options.fields[0]` must be one of"),
        ({"dataset_type": BANK, "options": {"default_sort_field": "options"}}, 20004, "`options.default_sort_field`"),
        ({"dataset_type": BANK, "options": {"user_fields": []}}, 20004, "`options.user_fields` has no meaning"),
        ({"dataset_type": BANK, "options": {"default_users_sort_field": "score"}}, 20004, "shows no users"),
        ({"dataset_type": BANK, "options": {"default_users_sort_order": "asc"}}, 20004, "shows no users"),
        ({"options": {"user_fields": ["size"]}}, 20004, "`options.user_fields[0]` must be one of attempted_max_score"),
        ({"options": {"default_sort_field": "size"}}, 20004, "`options.default_sort_field`"),
        ({"options": {"default_sort_order": "up"}}, 20004, "must be one of asc, desc"),
        ({"groups": [{"key": "", "label": ""}]}, 20001, "`groups[0].key`"),
        ({"groups": [{"key": "a"}]}, 20000, "`groups[0].label`"),
    ],
)
async def test_set_refuses_what_it_cannot_take(shared_house: House, change: Any, code: int, message: str) -> None:
    request = {"dataset_type": TYPE, "file_count": 1} | change

    reply = await shared_house.call("reports/datasets", "set", request)

    assert (reply.status, reply.code) == (400, code), reply.meta["message"]
    assert message in reply.meta["message"]


@pytest.mark.parametrize("change", [{"file_count": 100}, {"filters": {"activity_id": ["a"] * 10}}, {"filters": []}])
async def test_set_takes_what_is_just_within_its_limits(shared_house: House, change: Any) -> None:
    assert (await set_dataset(shared_house, **change))["dataset_type"] == TYPE


async def test_a_repeated_packet_makes_no_second_dataset(house: House) -> None:
    request = {"dataset_type": TYPE, "file_count": 1, "meta": {"packet": 1}}

    first = await house.call("reports/datasets", "set", request, distinct=False)
    second = await house.call("reports/datasets", "set", request, distinct=False)

    assert second.meta["replayed"] is True
    assert second.data == first.data
    assert await count(house, "dataset") == 1


async def test_setting_a_dataset_again_forgets_its_files(house: House) -> None:
    dataset_id = await upload(house, line("ann"))

    await set_dataset(house, dataset_id=dataset_id, file_count=2)

    assert [await count(house, table) for table in ("dataset", "dataset_file", "dataset_member")] == [1, 0, 0]


async def test_without_files_the_job_starts_at_once_from_those_that_are_there(house: House) -> None:
    await add_attempt(house, "ann", "maths", 3, 10)
    await add_attempt(house, "ann", "reading", 9, 10)
    dataset_id = await upload(house, line("ann"))
    filters = {"activity_id": ["reading"]}

    answer = await set_dataset(house, dataset_id=dataset_id, file_count=0, filters=filters)
    record = await finish(house, answer["job_reference"])

    assert answer["input_files"] == []
    assert record["status"] == "completed"
    assert (await read(house, dataset_id))["group"]["mean_score"] == 9


async def test_without_files_of_its_own_a_dataset_refused_leaves_the_older_as_it_was(house: House) -> None:
    answer = await set_dataset(house, file_count=2, groups=[{"key": "a", "label": "A"}])
    await put(house, answer["input_files"][0], line("ann"))

    request = {"dataset_type": TYPE, "dataset_id": answer["dataset_id"], "file_count": 0}
    reply = await house.call("reports/datasets", "set", request)

    assert reply.code == 50000
    assert "lacks file 2 of 2" in reply.meta["message"]
    assert (await put(house, answer["input_files"][1], line("ann"))).data == {"lines": 1}
    assert await house.unfinished() == 0


async def test_groups_carry_labels_and_only_the_fields_asked_for(house: House) -> None:
    await add_attempt(house, "ann", "maths", 3, 10)
    dataset_id = await upload(
        house,
        line("ann", "north", "a"),
        groups=[{"key": "north", "label": "The North"}],
        options={"fields": ["population", "mean_score"], "user_fields": ["max_score"]},
    )
    await compile_dataset(house, dataset_id)

    found = await read(house, dataset_id, "north")

    assert found == {
        "build": found["build"],
        "group": {"key": "north", "label": "The North", "group_path": ["north"], "population": 1, "mean_score": 3},
        "children": [{"key": "a", "label": "a", "group_path": ["north", "a"], "population": 1, "mean_score": 3}],
        "users": [{"user_id": "ann", "max_score": 10}],
    }


GROUP_ORDERS = [
    ({}, ["b", "c", "a", "d"]),
    ({"default_sort_field": "mean_score", "default_sort_order": "asc"}, ["a", "c", "b", "d"]),
    ({"default_sort_field": "population"}, ["a", "b", "c", "d"]),
    ({"default_sort_field": "key"}, ["d", "c", "b", "a"]),
    ({"default_sort_field": "label", "default_sort_order": "asc"}, ["d", "a", "b", "c"]),
]
USER_ORDERS = [
    ({}, ["bob", "cid", "ann", "dee", "eve"]),
    ({"default_users_sort_field": "score", "default_users_sort_order": "asc"}, ["ann", "cid", "bob", "dee", "eve"]),
    ({"default_users_sort_field": "seen_activities"}, ["ann", "bob", "cid", "dee", "eve"]),
    ({"default_users_sort_field": "max_score", "default_users_sort_order": "asc"}, ["cid", "ann", "bob", "dee", "eve"]),
    ({"default_users_sort_field": "attempted_max_score"}, ["ann", "bob", "cid", "dee", "eve"]),
    ({"default_users_sort_field": "unscored_max_score"}, ["ann", "bob", "cid", "dee", "eve"]),
    ({"default_users_sort_field": "user_id"}, ["eve", "dee", "cid", "bob", "ann"]),
    ({"default_users_sort_field": "user_id", "default_users_sort_order": "asc"}, ["ann", "bob", "cid", "dee", "eve"]),
]


@pytest.mark.parametrize("number", range(8))
async def test_groups_and_users_come_in_the_order_asked_for(ordered_house: House, number: int) -> None:
    """Those who lack the field come last in both directions; equals come by name."""
    group_options, groups = GROUP_ORDERS[number % len(GROUP_ORDERS)]
    user_options, users = USER_ORDERS[number]
    lines = [line("ann", "a"), line("bob", "b"), line("cid", "c"), line("dee", "d"), line("eve", "a")]
    labels = [{"key": "d", "label": "A first"}]
    dataset_id = await upload(ordered_house, *lines, options=group_options | user_options, groups=labels)
    await compile_dataset(ordered_house, dataset_id)

    found = await read(ordered_house, dataset_id)

    assert [group["key"] for group in found["children"]] == groups
    assert [user["user_id"] for user in found["users"]] == users


@pytest.fixture(scope="module")
async def ordered_house(servers: Servers) -> AsyncIterator[House]:
    """Three users with different scores, and nothing of dee and eve."""
    async with open_house(servers) as house:
        for user, score, max_score in (("ann", 1, 10), ("bob", 9, 10), ("cid", 5, 5)):
            await add_attempt(house, user, "maths", score, max_score)
        yield house


async def test_users_come_in_pages_and_children_with_the_first(house: House) -> None:
    await add_attempt(house, "user-07", "maths", 3, 10)
    dataset_id = await upload(house, *[line(f"user-{number:02}", "a") for number in range(12)])
    await compile_dataset(house, dataset_id)
    pages: list[Any] = []
    token: str | None = None

    while not pages or token is not None:
        request = {"dataset_id": dataset_id, "limit": 5} | ({} if token is None else {"next": token})
        reply = await house.call("reports/datasets", "get", request)
        pages.append(reply)
        token = reply.meta.get("next")

    users = [user["user_id"] for page in pages for user in page.data["users"]]
    assert users == ["user-07", *[f"user-{number:02}" for number in range(12) if number != 7]]
    assert [page.meta["records"] for page in pages] == [5, 5, 2]
    assert [len(page.data["children"]) for page in pages] == [1, 0, 0]


async def test_a_page_has_50_users_and_at_most_1000(house: House) -> None:
    await add_attempt(house, "user-1", "maths", 3, 10)
    dataset_id = await upload(house, *[line(f"user-{number}") for number in range(1001)])
    await compile_dataset(house, dataset_id)

    assert len((await read(house, dataset_id))["users"]) == 50
    assert len((await read(house, dataset_id, limit=1000))["users"]) == 1000
    assert len((await read(house, dataset_id, limit=5000))["users"]) == 1000


async def test_get_refuses_what_is_not_there(house: House) -> None:
    await add_attempt(house, "ann", "maths", 3, 10)
    dataset_id = await upload(house, line("ann", "north"), line("bob"))

    async def refusal(**request: Any) -> tuple[int, int, str]:
        reply = await house.call("reports/datasets", "get", {"dataset_id": dataset_id} | request)
        return reply.status, reply.code, reply.meta["message"]

    assert await refusal() == (400, 50000, f"dataset {dataset_id} is not compiled yet")
    await compile_dataset(house, dataset_id)
    unknown = str(uuid.uuid4())
    assert await refusal(dataset_id=unknown) == (400, 50000, f"there is no dataset {unknown}")
    assert await refusal(group_path=["south"]) == (
        400,
        20004,
        "`group_path` ['south'] names no group of the dataset",
    )
    assert (await refusal(group_path=["north", "north"]))[1] == 20004
    assert (await refusal(limit=0))[1] == 20003
    for token in ("", "1", "x.1", "1.-1", "1." + "9" * 12, "1.\u0661"):
        assert await refusal(next=token) == (400, 20004, "`next` must be the value that an earlier answer gave")


async def test_a_token_of_older_results_is_refused(house: House) -> None:
    await add_attempt(house, "ann", "maths", 3, 10)
    dataset_id = await upload(house, line("ann"), line("bob"))
    await compile_dataset(house, dataset_id)
    request = {"dataset_id": dataset_id, "limit": 1}
    token = (await house.call("reports/datasets", "get", request)).meta["next"]
    await compile_dataset(house, dataset_id)

    reply = await house.call("reports/datasets", "get", request | {"next": token})

    assert reply.code == 20004
    assert "results that were replaced" in reply.meta["message"]


async def test_another_organisations_dataset_is_as_if_it_did_not_exist(house: House) -> None:
    await add_attempt(house, "ann", "maths", 3, 10)
    answer = await set_dataset(house)
    dataset_id = answer["dataset_id"]
    await put(house, answer["input_files"][0], line("ann"))
    await compile_dataset(house, dataset_id)

    theirs = await house.call("reports/datasets", "get", {"dataset_id": dataset_id}, as_=house.stranger)
    ours = await house.call("reports/datasets", "get", {"dataset_id": dataset_id}, as_=house.other)

    assert theirs.meta["message"] == f"there is no dataset {dataset_id}"
    assert ours.data["group"]["population"] == 1


async def test_two_organisations_may_use_the_same_id(house: House) -> None:
    await add_attempt(house, "ann", "maths", 3, 10)
    dataset_id = await upload(house, line("ann"))
    await compile_dataset(house, dataset_id)

    await set_dataset(house, as_=house.stranger, dataset_id=dataset_id, file_count=7)

    assert (await read(house, dataset_id))["group"]["population"] == 1
