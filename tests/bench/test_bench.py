"""The bench runs and tells what it found; how fast anything is here is nobody's business."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jobgate.bench import play_rows
from jobgate.bench.stage import Effort
from jobgate.bench.table import Mark, Result, save, show
from jobgate.embedded import Servers

MARK = Mark(1, "ours", "theirs", 0.8)


@pytest.mark.parametrize("row", [1, 6, 7, 8, 9, 10, 11, 12, 13])
async def test_both_sides_of_a_row_are_played(servers: Servers, tmp_path: Path, row: int) -> None:
    folder = tmp_path / str(row)
    folder.mkdir()
    said: list[str] = []

    (result,) = await play_rows(
        servers,
        tmp_path,
        [row],
        1,
        Effort(seconds=0.05, updates=2, rescores=2, users=300, stored=400, statements=1000),
        said.append,
    )

    assert result.mark.number == row
    assert min(*result.ours, *result.peer) > 0
    assert len(said) == 1


@pytest.mark.parametrize(("ours", "verdict"), [(80.0, "ok"), (79.0, "MISSED")])
def test_a_mark_is_reached_or_missed(ours: float, verdict: str) -> None:
    shown = show([Result(MARK, "calls", [ours], [100.0])])

    assert shown.endswith(verdict)


@pytest.mark.parametrize(("ours", "is_reached"), [(100.0, True), (99.0, False)])
def test_a_mark_may_ask_for_a_rate_besides(ours: float, is_reached: bool) -> None:
    result = Result(Mark(1, "ours", "theirs", 0.8, 100), "calls", [ours], [1.0])

    assert result.is_reached is is_reached


def test_a_slow_round_weighs_on_both_sides_alike() -> None:
    result = Result(MARK, "calls", [90.0, 9.0, 90.0], [100.0, 10.0, 100.0])

    assert result.ratio == pytest.approx(0.9)


def test_every_round_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "bench.json"

    save(path, [Result(MARK, "calls", [90.0, 92.0], [100.0, 100.0])], {"version": "1"})

    kept = json.loads(path.read_bytes())
    assert kept["version"] == "1"
    assert kept["rows"][0]["ours_per_s"] == [90.0, 92.0]
    assert kept["rows"][0]["reached"] is True


@pytest.mark.parametrize(("peak", "shown"), [(123_400_000, "123"), (0, "ok")])
def test_the_memory_of_the_worker_stands_last_where_it_is_known(peak: int, shown: str) -> None:
    line = show([Result(MARK, "calls", [90.0], [100.0], peak)])

    assert line.split()[-1] == shown
