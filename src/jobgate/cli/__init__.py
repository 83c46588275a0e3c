"""The `jobgate` command. Each command imports what it runs when it runs, so that the others start quickly."""

from __future__ import annotations

import click

from jobgate import __version__
from jobgate.cli.beacon import beacon
from jobgate.cli.bench import bench
from jobgate.cli.call import call
from jobgate.cli.consumers import consumers
from jobgate.cli.dev import dev
from jobgate.cli.doctor import doctor
from jobgate.cli.export import export
from jobgate.cli.failures import Commands
from jobgate.cli.load import load
from jobgate.cli.migrate import migrate
from jobgate.cli.routes import routes
from jobgate.cli.schemas import schemas
from jobgate.cli.seed import seed
from jobgate.cli.serve import serve
from jobgate.cli.watch import watch
from jobgate.cli.work import work


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="jobgate")
def main() -> None:
    """A signed POST in, a durable job row out, and the work done exactly once whatever dies in between."""


for command in (
    *(dev, serve, work, migrate, consumers, call, watch, beacon),
    *(load, export, seed, routes, schemas, bench, doctor),
):
    main.add_command(command)
