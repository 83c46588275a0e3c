"""Who may call, how often, and what unknown keys cost."""

from __future__ import annotations

import asyncio
import tracemalloc
from datetime import UTC, datetime

import asyncpg
import pytest

from jobgate.callers import WINDOW_S, Callers, add_secret, published_rate
from jobgate.client import Credentials, sign_form
from jobgate.errors import ApiError, Code
from jobgate.keys import OuterKey
from jobgate.testing import HOME, House
from tests.conftest import MakeHouse


def callers_of(house: House) -> Callers:
    """The callers of a house, with nothing remembered."""
    return Callers(house.db, OuterKey(house.settings.secret_key), house.settings)


@pytest.mark.parametrize(
    ("verb", "endpoint", "calls"),
    [
        ("get", "jobs", 1000),
        ("get", "jobs/sessions/scores/subscores", 1000),
        ("update", "jobs/sessions/statuses", 50),
        ("set", "sessions", 50),
        ("get", "sessions/statuses", 1000),
        ("update", "sessions/responses/scores", 1000),
        ("update", "sessions/item", 1),
        ("get", "scoring", 2000),
        ("get", "itembank/conversion/qti", 50),
        ("get", "itembank/items", 1000),
        ("set", "reports/datasets", 50),
        ("update", "beacons/jobs", 1000),
        ("set", "something/of/a/user", 50),
        ("get", "something/of/a/user", 1000),
    ],
)
def test_the_published_table_is_the_default(verb: str, endpoint: str, calls: int) -> None:
    assert published_rate(verb, endpoint) == calls


async def test_a_window_is_full_after_its_calls_and_the_next_one_is_empty(house: House) -> None:
    callers = callers_of(house)
    caller = await callers.find(HOME.key, 0)
    begin = WINDOW_S * 100.0

    for _ in range(50):
        callers.count_call(caller, "set", "sessions", begin)
    with pytest.raises(ApiError) as refused:
        callers.count_call(caller, "set", "sessions", begin + 4.9)
    callers.count_call(caller, "set", "reports/datasets", begin + 4.9)  # another endpoint has its own window
    callers.count_call(caller, "set", "sessions", begin + WINDOW_S)

    assert refused.value.code is Code.rate_limited
    assert refused.value.data["retry_after_s"] == pytest.approx(0.1)


async def test_the_rate_of_a_consumer_counts_its_endpoints_apart(make_house: MakeHouse) -> None:
    async with make_house() as house:
        statuses = {"statuses": [{"session_id": "s", "user_id": "u", "status": "Completed"}]}

        answers = [await house.call("jobs/sessions/statuses", "update", statuses) for _ in range(51)]

        # The calls may straddle the end of a window.
        assert {answer.status for answer in answers[:50]} == {200}
        assert answers[50].status in (200, 429)
        assert (await house.call("jobs", "get")).status == 200


async def test_a_consumer_of_two_organisations_works_in_its_home_unless_it_names_the_other(house: House) -> None:
    async with house.db.connection() as queries:
        await queries.connection.execute("insert into consumer_organisation values ($1, 2)", house.home.key)
    entry = {"session_id": "s", "user_id": "u", "activity_id": "a"}
    request = {"data_format": "from_template", "data": [entry]}

    await house.call("sessions", "set", request | {"organisation_id": 2})
    await house.carry()

    counts = []
    for organisation_id in (1, 2):
        async with house.db.reading(organisation_id) as db:
            counts.append(await db.connection.fetchval("select count(*) from session"))
    status = {"statuses": [{"session_id": "s", "user_id": "u", "status": "Discarded"}]}
    told = []
    for options in ({}, {"organisation_id": "2"}):
        reply = await house.call("jobs/sessions/statuses", "update", status | options)
        await house.carry()
        query = {"references": [reply.data["job_reference"]], "include": ["results"]}
        told += (await house.call("jobs", "get", query)).data
    assert counts == [0, 1]
    assert [job["results"][0]["status"] for job in told] == ["error", "ok"]


async def test_every_live_secret_speaks_and_a_revoked_one_does_not(make_house: MakeHouse) -> None:
    async with make_house(consumer_cache_s=0.05) as house:
        second = Credentials(HOME.key, "second-secret-second-secret-second-secret")
        async with house.db.transaction() as tx:
            await add_secret(tx, OuterKey(house.settings.secret_key), HOME.key, second.secret)
        await forget(house)
        assert [(await house.call("jobs", "get", as_=who)).status for who in (HOME, second)] == [200, 200]

        (old, _) = await house.db.fetch("find_secrets", HOME.key)
        await house.db.execute("revoke_secret", HOME.key, old["id"])
        await forget(house)

        assert [(await house.call("jobs", "get", as_=who)).status for who in (HOME, second)] == [403, 200]


async def forget(house: House) -> None:
    """Wait until what was remembered of the consumer is too old."""
    loop = asyncio.get_running_loop()
    gone = loop.create_future()
    loop.call_later(house.settings.consumer_cache_s * 1.5, gone.set_result, None)
    await gone


async def test_stored_secrets_do_not_open_with_another_key(house: House) -> None:
    (row,) = await house.db.fetch("find_secrets", HOME.key)

    assert HOME.secret.encode() not in row["wrapped"]
    callers = Callers(house.db, OuterKey(OuterKey.make()), house.settings)
    with pytest.raises(Exception, match="does not open"):
        await callers.find(HOME.key, 0)


async def test_random_keys_cost_neither_memory_nor_the_database(make_house: MakeHouse) -> None:
    async with make_house(max_consumer_lookups=20) as house:
        callers = callers_of(house)
        looked_up = 0
        codes: set[Code] = set()
        tracemalloc.start()
        for number in range(30_000):
            try:
                await callers.find(f"randomkey{number:07}", 1000.5)
            except ApiError as error:
                codes.add(error.code)
                looked_up += error.code is Code.unknown_consumer
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert looked_up == 20
        assert codes == {Code.unknown_consumer, Code.rate_limited}
        assert peak < 5_000_000
        assert (await house.call("jobs", "get")).status == 200  # who is known is not held up


async def test_a_source_that_fails_too_often_is_refused_unread(make_house: MakeHouse) -> None:
    async with make_house(max_auth_failures=5) as house:
        wrong = HOME._replace(secret="wrong")

        codes = [(await house.call("jobs", "get", as_=wrong)).code for _ in range(7)]

        assert codes[:5] == [41003] * 5
        assert codes[5:] == [42000] * 2


async def test_a_consumer_has_a_share_of_what_runs(make_house: MakeHouse) -> None:
    async with make_house(max_in_flight_per_consumer=1) as house:
        caller = await house.gate.callers.find(HOME.key, 0)
        await house.gate.callers.enter(caller)

        assert (await house.call("jobs", "get")).code == 42000
        assert (await house.call("jobs", "get", as_=house.other)).status == 200

        house.gate.callers.leave(caller)
        assert (await house.call("jobs", "get")).status == 200


async def test_a26_slow_calls_of_one_consumer_leave_connections_to_the_others(make_house: MakeHouse) -> None:
    statuses = {"statuses": [{"session_id": "s", "user_id": "u", "status": "Completed"}]}
    async with make_house(gateway_pool=4, gateway_acquire_s=0.3, gateway_statement_s=5) as house:
        async with house.db.connection() as queries:
            blocker = await asyncpg.connect(house.settings.database_url)
            async with blocker.transaction():
                await blocker.execute("lock table replay in access exclusive mode")
                slow = [asyncio.create_task(house.call("jobs/sessions/statuses", "update", statuses)) for _ in range(9)]
                while await queries.connection.fetchval(WAITING) < 2:
                    await asyncio.sleep(0.01)  # Postgres tells nobody

                replies = [await house.call("jobs", "get", as_=house.other) for _ in range(20)]
            await blocker.close()
        ends = {reply.status for reply in await asyncio.gather(*slow)}

    assert {reply.status for reply in replies} == {200}
    assert ends <= {200, 503}
    assert house.gate.callers.in_flight == {}


WAITING = "select count(*) from pg_locks where not granted and relation = 'replay'::regclass"


async def test_a_full_queue_refuses_new_jobs_and_answers_reads(make_house: MakeHouse) -> None:
    async with make_house(max_queued_per_consumer=2) as house:
        statuses = {"statuses": [{"session_id": "s", "user_id": "u", "status": "Completed"}]}
        house.gate.queue_depths = {HOME.key: 2}

        refused = await house.call("jobs/sessions/statuses", "update", statuses)
        other = await house.call("jobs/sessions/statuses", "update", statuses, as_=house.other)

        assert (refused.status, refused.code) == (429, 42000)
        assert int(refused.headers["retry-after"]) >= 1
        assert other.status == 200
        assert (await house.call("jobs", "get", {"status": ["queued"]})).status == 200


async def test_the_sweeper_tells_the_gateway_how_much_waits(house: House) -> None:
    statuses = {"statuses": [{"session_id": "s", "user_id": "u", "status": "Completed"}]}
    await house.call("jobs/sessions/statuses", "update", statuses)

    async with asyncio.timeout(5):
        while house.gate.queue_depths.get(HOME.key) != 1:
            await asyncio.sleep(0.01)  # the sweeper's next round


async def test_bytes_that_were_accepted_are_proven_again(make_house: MakeHouse) -> None:
    async with make_house(consumer_cache_s=0.05) as house:
        poll = sign_form(HOME, {"references": []}, "get", now=datetime.now(UTC))
        assert [(await house.post("/latest/jobs", poll)).status for _ in range(2)] == [200, 200]

        (secret,) = await house.db.fetch("find_secrets", HOME.key)
        await house.db.execute("revoke_secret", HOME.key, secret["id"])
        await forget(house)

        assert (await house.post("/latest/jobs", poll)).code == Code.signature_mismatch.number
