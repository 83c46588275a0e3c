"""Jobs of `jobs/sessions/metadata`: replace the metadata of sessions."""

from __future__ import annotations

import msgspec

from jobgate.context import Batch
from jobgate.registry import task
from jobgate.session_updates import judge


class MetadataEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One session and its new metadata."""

    session_id: str
    user_id: str
    metadata: msgspec.Raw


class MetadataParams(msgspec.Struct, frozen=True, kw_only=True):
    """What `jobs/sessions/metadata` accepted."""

    session_metadata: list[MetadataEntry]


@task("sessionmetadataupdate")
async def replace_metadata(batch: Batch[MetadataParams]) -> None:
    """Replace the metadata of every session that the batch names; the last entry for a session wins."""
    writes = await judge(batch, _entries, "metadata_by")
    await batch.db.execute(
        "update_session_metadata",
        batch.organisation_id,
        [write.entry.session_id for write in writes],
        [bytes(write.entry.metadata) for write in writes],
        [write.job_id for write in writes],
    )


def _entries(params: MetadataParams) -> list[MetadataEntry]:
    return params.session_metadata
