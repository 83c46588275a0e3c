"""`jobgate load`: sessions from a file."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from jobgate.cli.surroundings import data_option

if TYPE_CHECKING:
    from jobgate.sessions import ImportReport

PROBLEMS_SHOWN = 20


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--organisation", default=1, show_default=True, help="Whose sessions these are.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@data_option
def load(file: BinaryIO, organisation: int, as_json: bool, data: Path) -> None:
    """Import the sessions of FILE (- is standard input), one JSON object a line, as `sessions` set takes them.

    A line with a problem is left out and reported, and the exit code is 1; loading a file again changes nothing.
    """
    report = asyncio.run(import_file(file, organisation, data))
    if as_json:
        shown = {"stored": report.stored, "refused": report.refused, "problems": report.problems}
        click.echo(json.dumps(shown, indent=2, ensure_ascii=False))
    else:
        click.echo(f"stored {report.stored} sessions, refused {report.refused} lines")
        for problem in report.problems[:PROBLEMS_SHOWN]:
            click.echo(f"  {problem}")
        if report.refused > PROBLEMS_SHOWN:
            click.echo(f"  … and {report.refused - PROBLEMS_SHOWN} more (--json shows a thousand)")
    if report.refused:
        sys.exit(1)


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
