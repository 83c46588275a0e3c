"""What must be true when everything has come to rest, whatever struck before."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from tests.chaos.lanes import History, Packet

SHOWN = 5

JOBS = """
select job.id, reference, type, state, params, fence, attempt, failures, losses, releases, error, owner, lease_until,
    organisation_id, extract(epoch from created_at)::float8 as created_s, effects, first_s
from job left join lateral (
    select array_agg(step order by step) as effects, extract(epoch from min(at))::float8 as first_s
    from effect where job_id = job.id
) as done on true
"""


@dataclass(frozen=True)
class Verdict:
    """What was found: how many jobs suffered from what, and the violations, a sentence each."""

    counts: dict[str, int]
    violations: list[str]
    start_s: list[tuple[float, float]]
    """When a job was created (Unix time), and how long after that it had its first effect."""


async def wait_for_rest(url: str, within_s: float) -> bool:
    """Wait until no job is queued or running; False when some still are."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            connection = await asyncpg.connect(url, timeout=5)
            try:
                while time.monotonic() < deadline:
                    if not await connection.fetchval(
                        "select exists (select from job where state in ('queued', 'running'))"
                    ):
                        return True
                    await asyncio.sleep(0.1)
            finally:
                await connection.close(timeout=1)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            await asyncio.sleep(0.1)
    return False


async def check(url: str, history: History) -> Verdict:
    """Compare what the clients saw with what is stored."""
    connection = await asyncpg.connect(url)
    try:
        # An index for the look-up; the table itself must take doubles, and the load is over.
        await connection.execute("create index if not exists effect_job on effect (job_id); analyze effect")
        rows = await connection.fetch(JOBS)
        stray = await connection.fetchval("select count(*) from effect where job_id not in (select id from job)")
        doubled_replays = await connection.fetchval(
            "select count(*) from (select from replay group by consumer_key, digest having count(*) > 1) as equal"
        )
    finally:
        await connection.close()
    return judge(history, rows, stray, doubled_replays)


def judge(history: History, rows: list[Any], stray: int, doubled_replays: int) -> Verdict:
    """The invariants, over every packet and every row."""
    found: dict[str, list[str]] = defaultdict(list)
    jobs: dict[str, list[Any]] = defaultdict(list)
    cancelled = {packet.word for packet in history.packets if packet.cancelled}
    for row in rows:
        params = msgspec.json.decode(row["params"], type=dict[str, Any])
        jobs[params["word"]].append(row)
        _judge_row(found, row, params, is_cancelled=params["word"] in cancelled)
    for packet in history.packets:
        _judge_packet(found, packet, jobs.get(packet.word, []))
    if stray:
        found["stray"].append(f"{stray} effects belong to no job")
    if doubled_replays > history.repeats:
        found["doubled"].append(f"{doubled_replays} packets are stored as accepted twice")
    found["answers"] += history.oddities
    violations = []
    for what, sentences in found.items():
        if sentences and what != "halted-lost":
            more = f" (and {len(sentences) - SHOWN} more)" if len(sentences) > SHOWN else ""
            violations.append(f"{what}: " + "; ".join(sentences[:SHOWN]) + more)
    counts = {name: len(found[name]) for name in ("lost", "doubled", "unfinished", "halted-lost")}
    starts = [(row["created_s"], row["first_s"] - row["created_s"]) for row in rows if row["first_s"] is not None]
    return Verdict(counts, violations, starts)


def _judge_packet(found: dict[str, list[str]], packet: Packet, rows: list[Any]) -> None:
    if len(rows) > 1:
        found["doubled"].append(f"{packet.word} has {len(rows)} jobs")
    if packet.outcome in ("acknowledged", "abandoned") and not rows:
        found["lost"].append(f"{packet.word} was {packet.outcome} and has no job")
    if packet.outcome == "refused" and rows:
        found["answers"].append(f"{packet.word} was refused and has a job")
    if packet.outcome == "acknowledged" and packet.references - {str(row["reference"]) for row in rows}:
        found["answers"].append(f"{packet.word} got references that are not its job's: {packet.references}")


def _judge_row(found: dict[str, list[str]], row: Any, params: dict[str, Any], *, is_cancelled: bool) -> None:
    word, state = params["word"], row["state"]
    effects = row["effects"] or []
    if state in ("queued", "running"):
        found["unfinished"].append(f"{word} is {state}")
    if state != "running" and (row["owner"] is not None or row["lease_until"] is not None):
        found["leases"].append(f"{word} is {state} and has a lease")
    if row["fence"] < row["attempt"] or row["attempt"] < row["failures"] + row["losses"] + row["releases"]:
        found["counters"].append(f"{word}: {dict(row)}")
    if row["organisation_id"] != 1:
        found["tenants"].append(f"{word} is in organisation {row['organisation_id']}")
    is_bad = params["mode"].startswith("always ")
    if state == "halted":
        code = msgspec.json.decode(row["error"], type=dict[str, str])["code"]
        if code == "lost" and not is_bad:
            found["halted-lost"].append(f"{word} was halted after {row['losses']} losses")
        elif not is_bad and not (is_cancelled and code == "cancelled"):
            found["lost"].append(f"{word} was halted as {code} after {row['failures']} failures")
    if state == "completed" and is_bad:
        found["answers"].append(f"{word} always misbehaves, and completed")
    expected = list(range(params["steps"]))
    if len(effects) != len(set(effects)):
        found["doubled"].append(f"{word} has the effects {effects}")
    elif state == "completed" and effects != expected:
        found["lost"].append(f"{word} is completed with the effects {effects} of {expected}")
    elif state == "halted" and row["type"] != "chaoslong" and effects:
        found["doubled"].append(f"{word} is halted and had an effect")
