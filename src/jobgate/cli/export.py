"""`jobgate export`: a compiled dataset as a file."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

from jobgate.cli.failures import Unusable
from jobgate.cli.posting import distinguish, post
from jobgate.cli.surroundings import data_option
from jobgate.cli.tables import CSV_RULE, PARQUET_RULE, Column, CsvTable, ParquetTable, Row
from jobgate.datasets.fields import QUESTION_NUMBERS, USER_FIELDS, GroupField

if TYPE_CHECKING:
    from jobgate.client import Client

What = Literal["users", "groups", "questions"]

PAGE = 1000
BUSY = (429, 503)
PAUSE_S = 5.0
PATIENCE = 12
"""How often a gateway that is busy is asked again, after a pause each time."""

_INTEGERS = frozenset({"group_count", "population", "seen_activities", "responses", "attempts", "unmarked"})


def _numbers(names: tuple[str, ...]) -> list[Column]:
    return [Column(name, "integer" if name in _INTEGERS else "number") for name in names]


COLUMNS: dict[What, list[Column]] = {
    "users": [Column("user_id", "text"), *_numbers(USER_FIELDS)],
    "groups": [
        Column("group_path", "json"),
        Column("key", "text"),
        Column("label", "text"),
        *_numbers(get_args(GroupField)),
    ],
    "questions": [
        Column("activity_id", "text"),
        Column("question_reference", "text"),
        Column("item_reference", "text"),
        Column("question_type", "text"),
        *_numbers(QUESTION_NUMBERS),
        Column("options", "json"),
    ],
}
"""The same in every file, whatever the dataset was set to show: what it does not show is null."""


@click.command()
@click.argument("dataset_id")
@click.option(
    "--what", type=click.Choice(get_args(What)), default="users", show_default=True, help="What the rows are."
)
@click.option("--format", "form", type=click.Choice(("csv", "parquet")), default="csv", show_default=True, help="File.")
@click.option("--output", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Where to write.")
@data_option
def export(dataset_id: str, what: What, form: str, output: Path, data: Path) -> None:
    """Write what was compiled of a dataset to a file.

    Reads page by page through the signed API, as `jobgate call` does; all pages are of one compilation. Users are those
    of the root, each once; groups are all there are; questions are those of the root. CSV is RFC 4180 with every text
    in quotes and numbers bare; a text that a spreadsheet would take for a formula (it begins with = + - @, a tab, a
    line end, NUL or a full-width form of these) gets an apostrophe before it. Parquet keeps values as they are and
    needs the extra `parquet`. FILE.manifest.json says what was written, and by which rule.
    """
    from jobgate.cli.progress import Progress
    from jobgate.cli.surroundings import find_client

    reader = Reader(find_client(data), dataset_id)
    unfinished = output.with_name(output.name + ".part")
    rows = 0
    try:
        make = ParquetTable if form == "parquet" else CsvTable
        with Progress(what) as progress, make(unfinished, COLUMNS[what]) as table:
            for page, total in reader.read(what):
                table.write(page)
                rows += len(page)
                progress.show("exporting", rows, total, f"{rows} rows")
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)
    manifest = {
        "dataset_id": dataset_id,
        "build": reader.build,
        "what": what,
        "format": form,
        "rows": rows,
        "columns": [column.name for column in COLUMNS[what]],
        "rule": PARQUET_RULE if form == "parquet" else CSV_RULE,
    }
    output.with_name(output.name + ".manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    click.echo(f"wrote {rows} {what} to {output}")


class Reader:
    """Reads one compilation of a dataset; another that is published meanwhile ends the export."""

    def __init__(self, client: Client, dataset_id: str) -> None:
        self.client = client
        self.dataset_id = dataset_id
        self.build: str | None = None

    def read(self, what: What) -> Iterator[tuple[list[Row], int]]:
        """The rows page by page, each page with how many rows there are in all, as far as is known (else 0)."""
        return self._read_groups() if what == "groups" else self._read_list(what)

    def _read_list(self, what: What) -> Iterator[tuple[list[Row], int]]:
        token: str | None = None
        while True:
            view, token = self._ask({"limit": PAGE} | ({} if token is None else {"next": token}))
            if what not in view:
                raise Unusable(f"dataset {self.dataset_id} has no {what}: its type is another")
            yield view[what], (view["group"].get("population") or 0) if what == "users" else 0
            if token is None:
                return

    def _read_groups(self) -> Iterator[tuple[list[Row], int]]:
        """A group comes before those below it."""
        view, _ = self._ask({"limit": 1})
        yield [view["group"]], 0
        waiting = [view["children"]]
        while waiting:
            children = waiting.pop()
            yield children, 0
            for child in children:
                if child.get("group_count") != 0:
                    below, _ = self._ask({"limit": 1, "group_path": child["group_path"]})
                    if below["children"]:
                        waiting.append(below["children"])

    def _ask(self, request: dict[str, Any]) -> tuple[dict[str, Any], str | None]:
        """A place in the dataset, and where its next page begins."""
        asked = {"dataset_id": self.dataset_id} | request
        reply = post(self.client, "reports/datasets", "get", distinguish(asked))
        for _ in range(PATIENCE):
            if reply.status not in BUSY:
                break
            time.sleep(PAUSE_S)
            reply = post(self.client, "reports/datasets", "get", distinguish(asked))
        if not reply.accepted:
            raise Unusable(f"{reply.meta.get('message')} ({reply.meta.get('code')})")
        if self.build not in (None, reply.data["build"]):
            raise Unusable(f"dataset {self.dataset_id} was compiled anew meanwhile: export it again")
        self.build = reply.data["build"]
        return reply.data, reply.meta.get("next")
