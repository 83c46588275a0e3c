"""`jobgate bench`: ratios against bare peers."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.argument("rows", type=int, nargs=-1, metavar="[ROW]...")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1, 99), help="Turns that each side takes.")
@click.option("--seconds", default=2.0, show_default=True, type=click.FloatRange(0.05), help="Length of a turn.")
@click.option(
    "--out",
    default=".jobgate/bench.json",
    show_default=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the numbers are kept.",
)
def bench(rows: tuple[int, ...], rounds: int, seconds: float, out: Path) -> None:
    """Measure what jobgate costs against the least that could do the same; ROW picks single marks.

    Exit code 1: a mark is missed.
    """
    from jobgate import bench as marks
    from jobgate.bench.stage import Effort

    unknown = [str(row) for row in rows if row not in marks.ROWS]
    if unknown:
        raise click.BadParameter(f"{', '.join(unknown)}: there are {', '.join(map(str, sorted(marks.ROWS)))}")
    if not marks.main(rows or sorted(marks.ROWS), rounds, out, effort=Effort(seconds=seconds), say=click.echo):
        sys.exit(1)
