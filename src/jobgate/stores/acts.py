"""What is told of what nobody can undo: in the job's log, in the store's, in the audit. No person is named."""

from __future__ import annotations

from collections.abc import Mapping

from jobgate import wire
from jobgate.context import INFORMATION, Chunk, JobFacts
from jobgate.stores.logs import NOTICE, say
from jobgate.stores.spaces import Store


async def tell_deletion(
    chunk: Chunk, facts: JobFacts, store: Store | None, type: str, deleted: Mapping[str, int]
) -> None:
    """Say what a job of a type has deleted, with its counts, in the transaction that ends it."""
    await tell(chunk, facts, store, type, "Deleted", deleted)


async def tell(
    chunk: Chunk, facts: JobFacts, store: Store | None, type: str, did: str, counts: Mapping[str, int]
) -> None:
    """Say what a job has done that nobody can undo."""
    chunk.say(did, INFORMATION, **counts)
    store_id, slug = (None, None) if store is None else (store.id, store.slug)
    told = {"job": str(facts.reference), "store": slug, did.lower(): dict(counts)}
    await say(
        chunk.db,
        facts.organisation_id,
        store_id,
        f"{did} records",
        type="console",
        level=NOTICE,
        service=type,
        api=f"jobs/{type}",
        data=told,
    )
    act = f"jobs.{type}"
    await chunk.db.execute(
        "insert_audit", facts.organisation_id, facts.consumer_key, act, "store", wire.encode(told), None
    )
