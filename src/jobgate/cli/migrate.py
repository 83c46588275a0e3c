"""`jobgate migrate`: bring the schema up to date."""

from __future__ import annotations

import click


@click.command()
def migrate() -> None:
    """Bring the database schema up to date; harmless when it already is, and when several do it at once."""
    import asyncio
    import os

    from jobgate import migrations
    from jobgate.cli.checks import reaching
    from jobgate.cli.failures import Unusable
    from jobgate.settings import read_settings

    settings = read_settings(os.environ)
    url = settings.migrate_url or settings.database_url
    if not url:
        raise Unusable("set JOBGATE_DATABASE_URL (or JOBGATE_MIGRATE_URL) to the database that is to be migrated")
    with reaching("JOBGATE_MIGRATE_URL" if settings.migrate_url else "JOBGATE_DATABASE_URL"):
        applied = asyncio.run(migrations.migrate(url))
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("the schema is up to date")
