"""Statements from a file into a store, line by line, for `jobgate load --store`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from jobgate.cli.failures import Unusable
from jobgate.cli.progress import Progress
from jobgate.cli.surroundings import find_settings, open_database, require_organisation
from jobgate.errors import ApiError, Code
from jobgate.keys import OuterKey
from jobgate.remotes.records import Unreadable, read_statement
from jobgate.stores.imports import Import, Line, StatementReport, import_statements
from jobgate.stores.options import EntryOptions
from jobgate.xapi.violations import Version

MAX_LINE = 1024 * 1024 + 64 * 1024
"""A statement may have 1 MiB; the record around it takes some more."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The options of the command."""

    store: str
    no_validate: bool
    version: Version | None
    replace: bool
    no_void: bool
    no_catalogue: bool
    pseudonymize: bool
    atomic: bool

    def read(self, secret_key: str) -> Import:
        """The same for the pipeline. Raises `KeyUnusable`."""
        options = EntryOptions(
            validate_statements=not self.no_validate,
            check_conflicts=not self.replace,
            void_statements=not self.no_void,
            update_activities=not self.no_catalogue,
            update_agents=not self.no_catalogue,
            update_vocab=not self.no_catalogue,
            pseudonymize_statements=self.pseudonymize,
        )
        key = OuterKey(secret_key) if secret_key or self.pseudonymize else None
        return Import(options=options, version=self.version, atomic=self.atomic, key=key)


async def import_statement_file(file: BinaryIO, organisation_id: int, data: Path, wanted: Wanted) -> StatementReport:
    """Import with a progress bar over the bytes of the file."""
    size = os.fstat(file.fileno()).st_size if file.seekable() else 0
    read = 0

    def count(line: bytes) -> None:
        nonlocal read
        read += len(line)

    settings = find_settings(data)
    async with open_database(settings) as db:
        await require_organisation(db, organisation_id)
        how = wanted.read(settings.secret_key)
        with Progress("statements") as progress:
            try:
                return await import_statements(
                    db,
                    organisation_id,
                    wanted.store,
                    read_lines(file, count),
                    how,
                    on_batch=lambda done: progress.show("loading", read, size, f"{done.accepted} accepted"),
                )
            except ApiError as error:
                advice = ": jobgate call xapi/stores set makes one" if error.code is Code.unsupported_value else ""
                raise Unusable(error.message.replace("`store`", "--store") + advice) from error


def read_lines(file: BinaryIO, count: Callable[[bytes], None]) -> Iterator[Line]:
    """The lines that are not empty; no more of one than a statement may have is ever held."""
    number, is_first = 0, True
    while chunk := file.readline(MAX_LINE):
        number += 1
        count(chunk)
        is_whole = chunk.endswith(b"\n") or len(chunk) < MAX_LINE
        text = chunk.removeprefix(_BYTE_ORDER_MARK) if is_first else chunk
        text = text.strip()
        if not text:
            continue
        if is_first and text.startswith(b"["):
            raise Unusable("the file is a JSON array: put one statement on a line, for instance with jq -c '.[]'")
        is_first = False
        if is_whole:
            yield _read(number, text)
            continue
        while not chunk.endswith(b"\n") and (chunk := file.readline(MAX_LINE)):
            count(chunk)
        yield Line(number, None, f"the line has more than {MAX_LINE} bytes")


def _read(number: int, text: bytes) -> Line:
    try:
        return Line(number, bytes(read_statement(text).statement))
    except Unreadable as problem:
        return Line(number, None, str(problem))
