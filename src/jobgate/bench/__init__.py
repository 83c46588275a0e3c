"""`jobgate bench`: ratios inside one run on one machine, against the least that could do the same work.

Two sides take turns on durable servers of their own, logs and metrics on; `table` says which marks hold. Rates are of
this machine, only the ratios travel.
"""

from __future__ import annotations

import os
import platform
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import uvloop

from jobgate import __version__
from jobgate.bench.contest import Contest, play
from jobgate.bench.dataset_row import DATASET_ROWS
from jobgate.bench.engine_rows import ENGINE_ROWS
from jobgate.bench.gateway_rows import GATEWAY_ROWS
from jobgate.bench.growth_row import GROWTH_ROWS
from jobgate.bench.scoring_row import SCORING_ROWS
from jobgate.bench.stage import Effort, open_stage
from jobgate.bench.store_rows import STORE_ROWS
from jobgate.bench.table import Result, save, show
from jobgate.bench.walls_row import WALL_ROWS
from jobgate.bench.xapi_row import XAPI_ROWS
from jobgate.embedded import Servers, start_servers

ROWS: dict[int, Contest] = {
    contest.mark.number: contest
    for contest in (
        *GATEWAY_ROWS,
        *ENGINE_ROWS,
        *SCORING_ROWS,
        *DATASET_ROWS,
        *GROWTH_ROWS,
        *WALL_ROWS,
        *XAPI_ROWS,
        *STORE_ROWS,
    )
}
"""Every row, by its number."""


def main(
    rows: Sequence[int], rounds: int, path: Path, *, effort: Effort | None = None, say: Callable[[str], None] = print
) -> bool:
    """Play `rows`, show the table, keep it as JSON in `path`; True when every mark holds. For the main thread."""
    with tempfile.TemporaryDirectory(prefix="jobgate-bench-") as folder:
        Path(folder).chmod(0o711)  # as root, the servers run as nobody and must get through
        with start_servers(Path(folder) / "servers") as servers:
            for number in rows:
                (Path(folder) / str(number)).mkdir()
            results = uvloop.run(play_rows(servers, Path(folder), rows, rounds, effort or Effort(), say))
    say("")
    say(show(results))
    surroundings = {"version": __version__, "python": platform.python_version(), "cpus": os.cpu_count()}
    save(path, results, surroundings)
    say(f"kept in {path}")
    return all(result.is_reached for result in results)


async def play_rows(
    servers: Servers, folder: Path, rows: Sequence[int], rounds: int, effort: Effort, say: Callable[[str], None]
) -> list[Result]:
    """Play row after row, each on a fresh database."""
    results = []
    for number in rows:
        contest = ROWS[number]
        say(f"{number}  {contest.mark.what} against {contest.mark.against}")
        async with open_stage(servers, folder / str(number), effort) as stage:
            results.append(await play(contest, stage, rounds))
    return results
