"""`python -m tests.chaos`: run, print, and exit with 1 when a promise was broken."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import click
import uvloop

from tests.chaos.campaign import FULL, QUICK, run
from tests.chaos.guards import GUARDS
from tests.chaos.report import judge_figures, write_report
from tests.chaos.servers import start_servers


def main() -> int:
    """Read the command line, run, print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="every fault a few times")
    parser.add_argument("--without", choices=sorted(GUARDS), default="", help="remove one guard: the run must go red")
    parser.add_argument("--keep", type=Path, help="a folder for the logs")
    options = parser.parse_args()
    plan = QUICK if options.quick else FULL
    click.echo(f"chaos --seed {options.seed} --rounds {options.rounds}" + (" --quick" if options.quick else ""))
    began = time.monotonic()
    with start_servers() as servers:
        running = run(
            servers, plan, seed=options.seed, rounds=options.rounds, without=options.without, keep=options.keep
        )
        outcome = uvloop.run(running)
    history, figures, fleet, logged = outcome.history, outcome.figures, outcome.fleet, outcome.logged
    click.echo("\n".join(write_report(history, figures, fleet, logged, outcome.verdict, outcome.clock_offset_s)))
    violations = outcome.verdict.violations + judge_figures(history, figures, fleet, logged, full=not options.quick)
    for violation in violations:
        click.echo(f"VIOLATED {violation}")
    state = "red" if violations else "green"
    click.echo(f"{state} after {time.monotonic() - began:.0f} s; seed {options.seed}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
