"""Equal signed bytes, sent a thousand times: one job, one answer, whatever happens between two of them."""

from __future__ import annotations

import asyncio
import signal
from datetime import UTC, datetime
from typing import Any

import msgspec

from jobgate.client import sign_form
from tests.chaos.lanes import Packet, Wire
from tests.chaos.stage import Stage
from tests.conftest import MakeHouse

SENDERS, TIMES = 40, 25
STATUSES = {"statuses": [{"session_id": "s", "user_id": "u", "status": "Completed"}]}


async def ask(stage: Stage, packet: Packet, wire: Wire | None = None) -> Any:
    """Send until it is accepted; the envelope."""
    own = wire or Wire(stage.fleet.gateways[0].uds)
    async with asyncio.timeout(20):
        while (answer := await own.post(packet.body)).status != 200:
            assert answer.status in (429, 503), answer.body
    if wire is None:
        own.close()
    return msgspec.json.decode(answer.body)


async def count_jobs(stage: Stage, packet: Packet) -> int:
    """How many jobs the packet has caused."""
    async with stage.servers.looking() as connection:
        count: int = await connection.fetchval("select count(*) from job where params->>'word' = $1", packet.word)
    return count


async def test_a_thousand_equal_packets_in_parallel_are_one_job_with_one_answer(stage: Stage) -> None:
    await stage.fleet.until_up()
    lane, *_ = stage.make_lanes("thousand", 1, pace_s=0)
    packet = lane.make_packet("chaos")

    async def send_often(number: int) -> list[Any]:
        wire = Wire(stage.fleet.gateways[number % 2].uds)
        answers = [await ask(stage, packet, wire) for _ in range(TIMES)]
        wire.close()
        return answers

    answers = [answer for some in await asyncio.gather(*map(send_often, range(SENDERS))) for answer in some]

    assert len(answers) == SENDERS * TIMES
    assert len({answer["data"]["job_reference"] for answer in answers}) == 1
    assert sum("replayed" not in answer["meta"] for answer in answers) == 1
    assert await count_jobs(stage, packet) == 1


async def test_a_packet_repeated_after_a_flush_or_a_restart_gets_its_first_answer(stage: Stage) -> None:
    await stage.fleet.until_up()
    lane, *_ = stage.make_lanes("later", 1, pace_s=0)
    packet = lane.make_packet("chaos")
    first = (await ask(stage, packet))["data"]

    await stage.injector.flush_redis()
    after_flush = (await ask(stage, packet))["data"]
    for gateway in stage.fleet.gateways:
        gateway.send(signal.SIGKILL)
    async with asyncio.timeout(20):
        while any(gateway.pid is not None and gateway.is_up for gateway in stage.fleet.gateways):
            await asyncio.sleep(0.01)
    await stage.fleet.until_up()
    after_restart = (await ask(stage, packet))["data"]

    assert [after_flush, after_restart] == [first, first]
    assert await count_jobs(stage, packet) == 1


async def test_equal_bytes_with_another_packet_in_between_are_a_new_job(stage: Stage) -> None:
    await stage.fleet.until_up()
    lane, *_ = stage.make_lanes("between", 1, pace_s=0)
    packet, other = lane.make_packet("chaos"), lane.make_packet("chaos")

    references = [(await ask(stage, each))["data"]["job_reference"] for each in (packet, other, packet)]

    assert len(set(references)) == 3
    assert (await count_jobs(stage, packet), await count_jobs(stage, other)) == (2, 1)
    stage.history.repeats += 1


async def test_equal_bytes_with_another_packet_in_between_are_refused_where_the_operator_says_so(
    make_house: MakeHouse,
) -> None:
    async with make_house(replay="refuse") as house:
        now = datetime.now(UTC)
        packet, other = (sign_form(house.home, STATUSES | {"n": n}, "update", now=now) for n in (1, 2))
        path = "/v2025.1.LTS/jobs/sessions/statuses"

        first = await house.post(path, packet)
        retried = await house.post(path, packet)
        await house.post(path, other)
        repeated = await house.post(path, packet)

        assert retried.data == first.data
        assert retried.meta["replayed"] is True
        assert (repeated.status, repeated.code) == (409, 20011)
        assert await house.unfinished() == 2
