"""`jobgate doctor`: what is wrong with this installation, and what to do about it."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobgate.cli.checks import Check
from jobgate.cli.surroundings import data_option

if TYPE_CHECKING:
    from jobgate.settings import Settings

SIGNS = {"ok": "ok", "warning": "WARNING", "wrong": "WRONG"}


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address that the gateway is to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="Its port.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@data_option
def doctor(host: str, port: int, as_json: bool, data: Path) -> None:
    """Look at settings, database, key, Redis, code and port, and say what is wrong and what to do about it.

    Exit code 1: something is wrong.
    """
    checks = asyncio.run(examine(data, host, port))
    if as_json:
        rows = [{"check": check.name, "state": check.state, "text": check.text} for check in checks]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    else:
        for check in checks:
            click.echo(f"{SIGNS[check.state]:<7}  {check.name:<8}  {check.text}")
    if any(check.state == "wrong" for check in checks):
        sys.exit(1)


async def examine(data: Path, host: str, port: int) -> list[Check]:
    """Everything, in the order in which it would stop a start."""
    from jobgate.cli.checks import check_database, check_doorbell, check_files, check_push
    from jobgate.cli.surroundings import find_dev, find_settings
    from jobgate.settings import SettingsError

    try:
        settings = find_settings(data)
    except SettingsError as error:
        return [Check("settings", "wrong", line) for line in str(error).splitlines()]
    dev = find_dev(data)
    is_dev = dev is not None and dev.database_url == settings.database_url
    return [
        Check("settings", "ok", f"those of the running dev on {data}" if is_dev else "the environment is well-formed"),
        check_public_url(settings),
        check_code(settings),
        *await check_database(settings, needs_key=True, demo=is_dev),
        *await check_doorbell(settings),
        check_push(settings, sends=True),
        check_files(settings),
        check_port(host, port),
    ]


def check_public_url(settings: Settings) -> Check:
    """Upload URLs begin with it, so clients must be able to follow it."""
    from urllib.parse import urlsplit

    parts = urlsplit(settings.public_url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        return Check("url", "wrong", f"JOBGATE_PUBLIC_URL={settings.public_url} is no URL: give https://your.host")
    return Check("url", "ok", f"upload URLs begin with {settings.public_url}")


def check_code(settings: Settings) -> Check:
    """Do the shipped and the configured actions and tasks load?"""
    from jobgate.registry import RegistryError, load_actions, load_tasks

    try:
        actions, tasks = load_actions(settings.actions_dir), load_tasks(settings.tasks_dir)
    except RegistryError as error:
        return Check("code", "wrong", str(error))
    return Check("code", "ok", f"{len(actions)} endpoints and {len(tasks)} job types load")


def check_port(host: str, port: int) -> Check:
    """Is the address free, or ours already?"""
    from jobgate.cli.dev import is_ready, require_free
    from jobgate.cli.failures import Unusable

    try:
        require_free(host, port)
    except Unusable as error:
        if is_ready(f"http://{host}:{port}"):
            return Check("port", "ok", f"a gateway answers at {host}:{port} and is ready")
        return Check("port", "warning", error.message)
    return Check("port", "ok", f"{host}:{port} is free")
