"""Uploads: the URLs that are handed out for a dataset's files, and what is put to them.

A file is checked line by line while it arrives and waits in a temporary file; only then does it meet Postgres, in one
transaction. So a slow client holds no connection, and a bad line leaves everything as it was.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Mapping
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import IO, NamedTuple
from urllib.parse import urlencode

from jobgate.datasets.lines import MAX_LINES, MAX_SESSIONS, read_checked, read_line, split_lines
from jobgate.datasets.members import delete_members
from jobgate.datasets.types import TYPES, DatasetType
from jobgate.db import Database, Record, Transaction
from jobgate.errors import ApiError, Code, shown
from jobgate.keys import OuterKey
from jobgate.settings import Settings

VALID_S = 3600
"""How long an upload URL works."""

MAX_DATASET_LINES = 1_000_000
"""In all files of a dataset together: every user in five groups."""

MAX_NAMING_LINES = 1000
"""Of one user: lines that name sessions."""

_MEMORY_BYTES = 1024 * 1024
_BATCH_LINES = 5000
_DIGITS = re.compile(r"[1-9][0-9]{0,14}")


class Target(NamedTuple):
    """One file of one dataset."""

    organisation_id: int
    dataset_id: uuid.UUID
    number: int


def make_url(key: OuterKey, public_url: str, target: Target, now_s: float) -> str:
    """Where the file can be put for the next 60 minutes, by whoever holds the URL."""
    expires = int(now_s) + VALID_S
    query = {
        "organisation": target.organisation_id,
        "expires": expires,
        "signature": key.sign(_signed_text(target, expires)),
    }
    return f"{public_url.rstrip('/')}/uploads/{target.dataset_id}/{target.number}?{urlencode(query)}"


def read_url(key: OuterKey, path: Mapping[str, str], query: Mapping[str, str], now_s: float) -> Target:
    """What a URL made by `make_url` stands for. Raises 41003 for any other URL and 41007 when its time is over."""
    organisation, expires, number = query.get("organisation", ""), query.get("expires", ""), path["number"]
    try:
        dataset_id = uuid.UUID(path["dataset_id"])
        if not all(map(_DIGITS.fullmatch, (organisation, expires, number))):
            raise ValueError
    except ValueError:
        raise _not_ours() from None
    target = Target(int(organisation), dataset_id, int(number))
    if not key.is_signed(_signed_text(target, int(expires)), query.get("signature", "")):
        raise _not_ours()
    if now_s > int(expires):
        raise ApiError(Code.expired, "the upload URL has expired; `reports/datasets` set hands out new ones")
    return target


async def receive(
    db: Database,
    key: OuterKey,
    settings: Settings,
    path: Mapping[str, str],
    query: Mapping[str, str],
    stream: AsyncIterator[bytes],
    now_s: float,
) -> dict[str, int]:
    """Take the file that is put to a URL; answers how many lines it has."""
    lines = await store_file(db, settings, read_url(key, path, query, now_s), stream)
    return {"lines": lines}


async def store_file(db: Database, settings: Settings, target: Target, stream: AsyncIterator[bytes]) -> int:
    """Keep a file in place of the one that was there before; how many lines it has.

    Every line is `{"user_id", "group_path": [...], "session_ids": [...]}`, the last for the types that count sessions;
    blank lines do not count. One bad line refuses the file.
    """
    async with db.reading(target.organisation_id) as tx:
        row = await tx.fetchrow("find_dataset_place", target.organisation_id, target.dataset_id)
    kind = _require_place(target, row)
    with SpooledTemporaryFile(max_size=_MEMORY_BYTES) as spool:
        lines = await _spool(stream, spool, settings.max_upload, kind)
        spool.seek(0)
        async with db.transaction(target.organisation_id) as tx:
            await _store(tx, target, spool, lines)
    return lines


async def _spool(stream: AsyncIterator[bytes], spool: IO[bytes], max_bytes: int, kind: DatasetType) -> int:
    """Check the lines and put them aside; how many there are."""
    count = number = 0
    async for lines in split_lines(stream, max_bytes):
        kept = []
        for text in lines:
            number += 1
            if read_line(text, number, needs_sessions=kind.needs_sessions) is not None:
                kept.append(text)
        count += len(kept)
        if count > MAX_LINES:
            raise ApiError(Code.too_much, f"a file must not have more than {MAX_LINES} lines")
        # In a thread: a disk that is busy must not stop every other request.
        await asyncio.to_thread(spool.write, b"\n".join([*kept, b""]))
    return count


async def _store(tx: Transaction, target: Target, spool: IO[bytes], lines: int) -> None:
    """Put the file in the place of an older one. COPY cannot write under row-level security, hence the way round."""
    _require_place(target, await tx.fetchrow("hold_dataset", target.organisation_id, target.dataset_id))
    await tx.execute("put_dataset_file", *target, uuid.uuid4(), lines)
    await delete_members(tx, *target)
    await tx.execute("stage_dataset_members")
    rows = read_checked(iter(spool))
    stored = 1
    while stored:
        # Batches, because a statement must stay short; never a list, because a line may be long.
        await tx.copy_rows("uploaded_line", ("user_id", "group_path", "session_ids"), islice(rows, _BATCH_LINES))
        stored = await tx.execute("insert_dataset_members", *target)
        await _require_few_sessions(tx, target)
        await tx.execute("clear_dataset_stage")
    total = await tx.fetchval("count_dataset_lines", target.organisation_id, target.dataset_id)
    if total > MAX_DATASET_LINES:
        raise ApiError(Code.too_much, f"the files of a dataset must not have more than {MAX_DATASET_LINES} lines")


async def _require_few_sessions(tx: Transaction, target: Target) -> None:
    user_id = await tx.fetchval(
        "find_crowded_member", target.organisation_id, target.dataset_id, MAX_SESSIONS, MAX_NAMING_LINES
    )
    if user_id is not None:
        raise ApiError(
            Code.too_much,
            f"user {shown(user_id)} must not have more than {MAX_SESSIONS} sessions in all files of the dataset,"
            f" or {MAX_NAMING_LINES} lines that name some",
        )


def _require_place(target: Target, row: Record | None) -> DatasetType:
    """The dataset takes this file; one that was set again meanwhile may take fewer."""
    if row is None or not 1 <= target.number <= row["file_count"]:
        raise ApiError(Code.dataset_not_ready, f"dataset {target.dataset_id} takes no file {target.number}")
    return TYPES[row["type"]]


def _signed_text(target: Target, expires_s: int) -> str:
    return f"PUT {target.organisation_id} {target.dataset_id} {target.number} {expires_s}"


def _not_ours() -> ApiError:
    return ApiError(Code.signature_mismatch, "the upload URL was not handed out by this gateway, or was changed")
