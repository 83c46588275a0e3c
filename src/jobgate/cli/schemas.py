"""`jobgate schemas`: the published contract, written from the code."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 when a file differs.")
@click.option("--folder", type=click.Path(path_type=Path), help="Where; default: `schemas` beside the shipped actions.")
def schemas(check: bool, folder: Path | None) -> None:
    """Write JSON Schema and OpenAPI of every endpoint; remove what no endpoint has."""
    from jobgate import contract
    from jobgate.registry import load_actions, shipped_actions
    from jobgate.settings import read_settings

    # A user's own endpoints belong to the user's contract, not to the shipped one.
    actions_dir = read_settings(os.environ).actions_dir if folder is not None else ""
    folder = folder or shipped_actions().with_name("schemas")
    wanted = contract.generate(load_actions(actions_dir))
    there = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*.json")}
    different = sorted(name for name in wanted | there if wanted.get(name) != there.get(name))
    for name in different:
        click.echo(
            f"{'differs' if name in wanted and name in there else 'missing' if name in wanted else 'obsolete'}: {name}"
        )
    if check:
        if different:
            click.echo("the committed contract is not that of the code; run: make schemas", err=True)
            sys.exit(1)
        return
    for name in different:
        file = folder / name
        if name in wanted:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(wanted[name])
        else:
            file.unlink()
    for empty in sorted(
        (path for path in folder.rglob("*") if path.is_dir() and not any(path.iterdir())), reverse=True
    ):
        empty.rmdir()
