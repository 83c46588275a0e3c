"""A run: lanes send, faults strike in an order that the seed decides, then everything comes to rest."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import click

from tests.chaos.checker import Verdict
from tests.chaos.figures import Figures
from tests.chaos.fleet import Fleet
from tests.chaos.lanes import History, Lane
from tests.chaos.measures import compare_drains, measure_reruns
from tests.chaos.servers import Servers
from tests.chaos.stage import Stage, open_stage

LONG_LANES, LONG_PACE_S = 2, 0.9
"""Some lanes ask for long jobs only, so that every worker always carries one."""


@dataclass(frozen=True)
class Plan:
    """How much of what."""

    deck: dict[str, int]
    lanes: int
    pace_s: float
    pause_s: float
    """Between two faults, at most."""
    at_least: int
    """Packets to be acknowledged in a round, however soon the faults are through."""
    rest_s: float
    redis_away_s: float
    measures: bool
    bad: float
    long: float
    """The shares of packets that ask for a misbehaving job, and for a long one."""


FULL = Plan(
    deck={
        "F1 worker killed": 100,
        "F2 worker frozen": 40,
        "F4 killed before the ring": 20,
        "F5 gateway killed after commit": 40,
        "F6 gateway killed before commit": 40,
        "F7 Redis flushed": 20,
        "F8 Redis restarted": 20,
        "F9 Redis away": 2,
        "F13 Postgres restarted": 20,
        "F14 a backend terminated": 50,
        "F14 all backends terminated": 20,
        "F15 packets dropped": 5,
        "F16 commit answer lost": 60,
        "F17 pool exhausted": 5,
        "F24 gateway stopped": 20,
        "F25 worker stopped": 50,
        "F26 two migrators": 3,
        "4.8 client hangs up": 20,
    },
    lanes=30,
    pace_s=0.15,
    pause_s=1.2,
    at_least=100_000,
    rest_s=90,
    redis_away_s=60,
    measures=True,
    bad=0.002,
    long=0.004,
)
QUICK = Plan(
    deck={
        "F1 worker killed": 3,
        "F2 worker frozen": 3,
        "F4 killed before the ring": 1,
        "F5 gateway killed after commit": 2,
        "F6 gateway killed before commit": 1,
        "F7 Redis flushed": 1,
        "F8 Redis restarted": 1,
        "F9 Redis away": 1,
        "F13 Postgres restarted": 1,
        "F14 a backend terminated": 1,
        "F14 all backends terminated": 1,
        "F16 commit answer lost": 2,
        "F17 pool exhausted": 1,
        "F24 gateway stopped": 1,
        "F25 worker stopped": 2,
        "4.8 client hangs up": 2,
    },
    lanes=16,
    pace_s=0.15,
    pause_s=0.3,
    at_least=500,
    rest_s=30,
    redis_away_s=2,
    measures=False,
    bad=0.01,
    long=0.01,
)


@dataclass
class Outcome:
    """What a run leaves behind."""

    history: History
    figures: Figures
    fleet: Fleet
    logged: Counter[str]
    verdict: Verdict
    clock_offset_s: float


async def run(
    servers: Servers, plan: Plan, *, seed: int, rounds: int, without: str = "", keep: Path | None = None
) -> Outcome:
    """Run `rounds` rounds and look at what is left."""
    stage_of = open_stage(servers, seed=str(seed), lanes=plan.lanes, without=without, keep=keep)
    async with stage_of as stage:
        order = random.Random(seed)
        stage.injector.redis_away_s = plan.redis_away_s
        verdict = await stage.rest(plan.rest_s)
        for _ in range(rounds):
            await run_round(stage, plan, order, str(seed))
            verdict = await stage.rest(plan.rest_s)
            if verdict.counts["unfinished"]:
                break
        if plan.measures and not verdict.counts["unfinished"]:
            stage.injector.figures.drains = await compare_drains(stage)
            stage.injector.figures.calm_reruns_s = await measure_reruns(stage, make_lanes(stage, plan, str(seed)))
            verdict = await stage.rest(plan.rest_s)
        stage.fleet.close()
        return Outcome(
            stage.history, stage.injector.figures, stage.fleet, stage.fleet.read_logs(), verdict, stage.clock_offset_s
        )


async def run_round(stage: Stage, plan: Plan, order: random.Random, seed: str) -> None:
    """Load and faults together, and at the end a last blow while nothing new comes."""
    deck = [name for name, count in plan.deck.items() for _ in range(count)]
    order.shuffle(deck)
    async with stage.load(make_lanes(stage, plan, seed), at_least=plan.at_least):
        for number, name in enumerate(deck):
            await asyncio.sleep(order.uniform(0.05, plan.pause_s))
            await stage.injector.strike(name)
            if number % 50 == 49:
                click.echo(f"  {number + 1} faults, {stage.history.count('acknowledged')} acknowledged")
    # Hints of the last packets are lost, and so is a worker: nobody comes to say it again.
    await stage.injector.strike("F7 Redis flushed")
    await stage.injector.strike("F1 worker killed")
    await stage.rest(plan.rest_s)
    await stage.injector.lose_last_ring()


def make_lanes(stage: Stage, plan: Plan, seed: str) -> list[Lane]:
    """The lanes of a round."""
    lanes = stage.make_lanes(seed, plan.lanes, pace_s=plan.pace_s, bad=plan.bad, long=plan.long)
    for lane in lanes[:LONG_LANES]:
        lane.pace_s, lane.bad, lane.long = LONG_PACE_S, 0, 1
    return lanes
