"""`jobgate seed`: the demo school, in any size."""

from __future__ import annotations

import asyncio
import json
import math
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobgate.cli.surroundings import data_option

if TYPE_CHECKING:
    from jobgate.demo import School
    from jobgate.sessions import ImportReport

UNTIL = datetime(2026, 7, 1, tzinfo=UTC)


@click.command()
@click.option("--sessions", required=True, type=click.IntRange(1), help="How many sessions.")
@click.option("--users", type=click.IntRange(1), help="How many learners take them, about; else each takes seven.")
@click.option("--seed", default=1, show_default=True, help="Another seed makes another school, of other learners.")
@click.option(
    "--until",
    default=f"{UNTIL:%Y-%m-%d}",
    show_default=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day after the last lesson; the first was a year before.",
)
@click.option("--organisation", default=1, show_default=True, help="Whose school it is.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@data_option
def seed(
    sessions: int, users: int | None, seed: int, until: datetime, organisation: int, as_json: bool, data: Path
) -> None:
    """Store the sessions of a made-up school, and the item bank that they are taken from.

    The same options make the same school, to the byte; storing it again changes nothing.
    """
    from jobgate.demo import SITTINGS, School

    sittings = math.ceil(sessions / users) if users else SITTINGS
    school = School(f"seed {seed}", until.date(), sittings, prefix=f"student{seed}")
    report, seconds = asyncio.run(store(school, sessions, organisation, data))
    per_second = round(sessions / seconds)
    if as_json:
        shown = {"stored": report.stored, "refused": report.refused, "seconds": seconds, "per_second": per_second}
        click.echo(json.dumps(shown, indent=2))
    else:
        click.echo(f"stored {report.stored} sessions in {seconds:.1f} s: {per_second} a second")


async def store(school: School, sessions: int, organisation_id: int, data: Path) -> tuple[ImportReport, float]:
    """Import them with a progress bar, as `jobgate load` does; the report, and how many seconds it took."""
    from jobgate.cli.progress import Progress
    from jobgate.cli.surroundings import find_settings, open_database, require_organisation
    from jobgate.demo import store_bank
    from jobgate.sessions import import_sessions

    async with open_database(find_settings(data)) as db:
        await require_organisation(db, organisation_id)
        await store_bank(db, organisation_id)
        started = time.perf_counter()
        with Progress("sessions") as progress:
            report = await import_sessions(
                db,
                organisation_id,
                school.lines(sessions),
                on_batch=lambda lines: progress.show("storing", lines, sessions),
            )
        return report, time.perf_counter() - started
