"""`jobgate load`: sessions from a file, or xAPI statements."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from jobgate.cli.surroundings import data_option

if TYPE_CHECKING:
    from jobgate.sessions import ImportReport
    from jobgate.stores.imports import StatementReport

PROBLEMS_SHOWN = 20

STATEMENTS_ONLY = ("no_validate", "version", "replace", "no_void", "no_catalogue", "pseudonymize", "atomic")


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--organisation", default=1, show_default=True, help="Whose sessions or statements these are.")
@click.option("--store", metavar="SLUG", help="Load xAPI statements, bare or in export records, into this store.")
@click.option("--no-validate", is_flag=True, help="Record statements unjudged.")
@click.option("--version", type=click.Choice(["1.0.3", "2.0.0"]), help="Whose rules hold, whatever statements name.")
@click.option("--replace", is_flag=True, help="Another statement under a known id takes the place of that one.")
@click.option("--no-void", is_flag=True, help="Voiding statements have no effect.")
@click.option("--no-catalogue", is_flag=True, help="The catalogue of activities, agents and verbs stays as it is.")
@click.option("--pseudonymize", is_flag=True, help="Replace identities by pseudonyms first.")
@click.option("--atomic", is_flag=True, help="Stop at the first refused statement; nothing of its batch is recorded.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@data_option
def load(file: BinaryIO, organisation: int, as_json: bool, data: Path, **wanted: object) -> None:
    """Import the sessions of FILE (- is standard input), one JSON object a line, as `sessions` set takes them.

    With --store it has xAPI statements. A line with a problem is left out and reported, and the exit code is 1; loading
    a file again changes nothing.
    """
    if wanted["store"] is None:
        if surplus := [name for name in STATEMENTS_ONLY if wanted[name]]:
            raise click.UsageError(f"--{surplus[0].replace('_', '-')} is about statements: name their --store")
        show_sessions(asyncio.run(import_file(file, organisation, data)), as_json)
    else:
        from jobgate.cli.load_statements import Wanted, import_statement_file

        report = asyncio.run(import_statement_file(file, organisation, data, Wanted(**wanted)))  # type: ignore[arg-type]
        show_statements(report, as_json)


def show_sessions(report: ImportReport, as_json: bool) -> None:
    """Say what became of sessions, and end accordingly."""
    if as_json:
        shown = {"stored": report.stored, "refused": report.refused, "problems": report.problems}
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        click.echo(f"stored {report.stored} sessions, refused {report.refused} lines")
        show_problems(report.problems, report.refused)
    if report.refused:
        sys.exit(1)


def show_statements(report: StatementReport, as_json: bool) -> None:
    """Say what became of statements, and end accordingly."""
    counts = {name: getattr(report, name) for name in ("accepted", "known", "replaced", "voided", "rejected")}
    if as_json:
        click.echo(json.dumps(counts | {"problems": report.problems}, indent=2, ensure_ascii=False))
    else:
        click.echo(
            f"accepted {report.accepted} statements, {report.known} of them known before;"
            f" replaced {report.replaced}, voided {report.voided}, rejected {report.rejected}"
        )
        show_problems(report.problems, report.rejected)
        if report.was_stopped:
            click.echo("stopped there: nothing of the batch of these lines was recorded, nor what comes after")
    if report.rejected:
        sys.exit(1)


def show_problems(problems: Sequence[str], count: int) -> None:
    """The first of them."""
    for problem in problems[:PROBLEMS_SHOWN]:
        click.echo(f"  {problem}")
    if count > PROBLEMS_SHOWN:
        click.echo(f"  … and {count - PROBLEMS_SHOWN} more (--json shows a thousand)")


async def import_file(file: BinaryIO, organisation_id: int, data: Path) -> ImportReport:
    """Import with a progress bar over the bytes of the file."""
    from jobgate.cli.progress import Progress
    from jobgate.cli.surroundings import find_settings, open_database, require_organisation
    from jobgate.sessions import import_sessions

    size = os.fstat(file.fileno()).st_size if file.seekable() else 0
    read = 0

    def count() -> Iterator[bytes]:
        nonlocal read
        for line in file:
            read += len(line)
            yield line

    async with open_database(find_settings(data)) as db:
        await require_organisation(db, organisation_id)
        with Progress("sessions") as progress:
            return await import_sessions(
                db,
                organisation_id,
                count(),
                on_batch=lambda lines: progress.show("loading", read, size, f"{lines} lines"),
            )
