"""Symbolic checks in real processes: whatever is typed, they come to an end, and the next check finds a process."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from jobgate.scoring.maths.checks import Verdict
from jobgate.scoring.maths.evaluator import (
    BROKEN,
    NO_TIME_LEFT,
    NOT_INSTALLED,
    TOO_LARGE,
    TOO_LONG,
    UNAVAILABLE,
    Evaluator,
)
from tests.embedded.watching import expect_ends, find_descendants, keep, on_linux
from tests.scoring.maths.judging import check

DEADLINE_S = 30

EQUAL = check("equivSymbolic", "x^2+2x+1", "(x+1)^2")
DIFFERENT = check("equivSymbolic", "x^2+2x+1", "(x+2)^2")
PLAIN = check("equivValue", "5", "5")
SUM = "(a+b+c+d+f+g)"
MONSTER = check("equivSymbolic", f"{SUM}^{{90}}", f"{SUM}^{{89}}a+{SUM}^{{89}}(b+c+d+f+g)")
"""Equal, but to show it takes more terms than there is room for."""

HELLO = "import os, sys; body = b'{\"has_algebra\":true}'; os.write(1, len(body).to_bytes(4) + body); "

JUDGE_ON_REQUEST = """
import asyncio, json, sys
from jobgate.scoring.maths.evaluator import Evaluator
from tests.scoring.maths.test_evaluator import EQUAL, MONSTER

async def main():
    async with Evaluator() as evaluator:
        await evaluator.judge([EQUAL])
        judging = asyncio.create_task(evaluator.judge([MONSTER], limit_s=2, budget_s=1000))
        if sys.argv[1] == "busy":
            await asyncio.sleep(0.2)
        else:
            judging.cancel()
            await asyncio.wait([judging])
            await evaluator.judge([EQUAL])
        print(json.dumps({}), flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""


def find_children() -> list[int]:
    """The children of evaluators of this process."""
    return [pid for pid in find_descendants(os.getpid()) if b"maths.child" in Path(f"/proc/{pid}/cmdline").read_bytes()]


async def test_checks_are_judged_each_once() -> None:
    async with Evaluator() as evaluator:
        verdicts = await evaluator.judge([EQUAL, DIFFERENT, PLAIN, EQUAL])

    assert verdicts == {EQUAL: Verdict(True), DIFFERENT: Verdict(False), PLAIN: Verdict(True)}


@on_linux
async def test_children_start_when_algebra_is_needed_stay_for_the_next_check_and_end_with_the_evaluator() -> None:
    async with Evaluator() as evaluator:
        await evaluator.judge([PLAIN])
        before = find_children()
        await evaluator.judge([EQUAL])
        first = find_children()
        await evaluator.judge([DIFFERENT])
        second = find_children()

    assert (len(before), len(first), second) == (0, 1, first)
    assert find_children() == []


@on_linux
async def test_who_takes_too_long_is_killed_and_replaced() -> None:
    async with Evaluator() as evaluator:
        await evaluator.judge([EQUAL])
        first = find_children()
        verdicts = await evaluator.judge([MONSTER], limit_s=0.3, budget_s=DEADLINE_S)
        left = find_children()
        after = await evaluator.judge([EQUAL])

    assert len(first) == 1
    assert verdicts == {MONSTER: TOO_LONG}
    assert left == []
    assert after == {EQUAL: Verdict(True)}


async def test_a_monster_costs_its_neighbours_nothing_but_time() -> None:
    monsters = [check("equivSymbolic", MONSTER.key, f"{MONSTER.answer}+{number}-{number}") for number in range(3)]

    async with Evaluator() as evaluator:
        verdicts = await evaluator.judge([*monsters, EQUAL, DIFFERENT], limit_s=0.3, budget_s=DEADLINE_S)

    assert [verdicts[monster] for monster in monsters] == [TOO_LONG] * 3
    assert (verdicts[EQUAL], verdicts[DIFFERENT]) == (Verdict(True), Verdict(False))


@on_linux
async def test_a_call_ends_when_its_time_is_up() -> None:
    async with Evaluator() as evaluator:
        await evaluator.judge([EQUAL])
        started = time.monotonic()
        verdicts = await evaluator.judge([MONSTER, EQUAL, DIFFERENT, PLAIN], limit_s=1000, budget_s=0.5)
        took_s = time.monotonic() - started
        none = await evaluator.judge([EQUAL, PLAIN], budget_s=0)
        left = len(find_children())

    assert verdicts[MONSTER] == NO_TIME_LEFT
    assert verdicts[PLAIN] == Verdict(True)
    assert 0.5 <= took_s < DEADLINE_S
    assert none == {EQUAL: NO_TIME_LEFT, PLAIN: Verdict(True)}
    assert left <= 1


@on_linux
async def test_who_is_cancelled_leaves_no_process_behind() -> None:
    async with Evaluator() as evaluator:
        judging = asyncio.create_task(evaluator.judge([MONSTER], limit_s=1000, budget_s=1000))
        async with asyncio.timeout(DEADLINE_S):
            while not find_children():
                await asyncio.sleep(0.01)
        judging.cancel()
        await asyncio.wait([judging])
        left = find_children()
        verdicts = await evaluator.judge([EQUAL])

    assert judging.cancelled()
    assert left == []
    assert verdicts == {EQUAL: Verdict(True)}


async def test_the_event_loop_goes_on_meanwhile() -> None:
    gaps = []

    async def tick() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            gaps.append(time.perf_counter() - before)

    async with Evaluator() as evaluator:
        ticking = asyncio.create_task(tick())
        plain = [check("equivValue", "5", f"{number}+{number}") for number in range(5000)]
        await evaluator.judge([MONSTER, *plain], limit_s=0.5, budget_s=DEADLINE_S)
        ticking.cancel()

    assert max(gaps) < 0.5


async def test_without_the_library_nothing_symbolic_is_decided() -> None:
    lacking = "import sys; sys.modules['sympy'] = None; from jobgate.scoring.maths.child import main; main()"

    async with Evaluator((sys.executable, "-P", "-c", lacking)) as evaluator:
        verdicts = await evaluator.judge([EQUAL, DIFFERENT, PLAIN])
        again = await evaluator.judge([EQUAL])

    assert verdicts == {EQUAL: NOT_INSTALLED, DIFFERENT: NOT_INSTALLED, PLAIN: Verdict(True)}
    assert again == {EQUAL: Verdict(None, "symbolic marking is not installed")}


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ("sys.stdin.buffer.read(5); os._exit(3)", TOO_LARGE),
        ("sys.stdin.buffer.read(5); os.kill(os.getpid(), 9)", TOO_LARGE),
        ("sys.stdin.buffer.read(5); os.kill(os.getpid(), 11)", BROKEN),
        ("sys.stdin.buffer.read(5); os._exit(0)", BROKEN),
        ("sys.stdin.buffer.read(5); os.write(1, b'abc'); os._exit(0)", BROKEN),
    ],
)
async def test_a_child_that_ends_over_a_check_says_why(ending: str, expected: Verdict) -> None:
    async with Evaluator((sys.executable, "-P", "-c", HELLO + ending)) as evaluator:
        assert await evaluator.judge([EQUAL, DIFFERENT]) == {EQUAL: expected, DIFFERENT: expected}


@pytest.mark.parametrize("command", [("/nonexistent",), (sys.executable, "-c", "pass")])
async def test_children_that_do_not_start_decide_nothing(command: tuple[str, ...]) -> None:
    async with Evaluator(command) as evaluator:
        assert await evaluator.judge([EQUAL, PLAIN]) == {EQUAL: UNAVAILABLE, PLAIN: Verdict(True)}


@on_linux
async def test_an_idle_child_that_somebody_killed_is_replaced() -> None:
    async with Evaluator() as evaluator:
        await evaluator.judge([EQUAL])
        (child,) = find_children()
        os.kill(child, 9)
        verdicts = await evaluator.judge([DIFFERENT])

    assert verdicts == {DIFFERENT: Verdict(False)}


@on_linux
async def test_a_child_knows_no_setting_and_has_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JOBGATE_SECRET_KEY", "secret")
    async with Evaluator() as evaluator:
        await evaluator.judge([EQUAL])
        (child,) = find_children()
        environment = Path(f"/proc/{child}/environ").read_bytes()
        limits = Path(f"/proc/{child}/limits").read_text().splitlines()

    assert b"JOBGATE" not in environment
    assert [line.split()[3:5] for line in limits if "address space" in line] == [[str(2**30)] * 2]


@on_linux
@pytest.mark.parametrize("state", ["idle", "busy"])
def test_children_end_with_their_killed_parent(state: str) -> None:
    with keep(JUDGE_ON_REQUEST, state) as (owner, _), expect_ends(find_descendants(owner.pid)):
        owner.kill()
