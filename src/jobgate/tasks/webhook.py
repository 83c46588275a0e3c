"""Jobs of `jobs/webhook`: post a JSON body to a push target."""

from __future__ import annotations

import uuid
from typing import Literal

import msgspec

from jobgate.context import Batch, LogEntry, TaskRefused
from jobgate.outbox import Webhook, post_webhook
from jobgate.registry import task


class WebhookResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was posted."""

    status: Literal["ok"] = "ok"
    delivery_id: uuid.UUID
    """One of `push/deliveries`, which tells what became of it."""


@task("webhook")
async def post_webhooks(batch: Batch[Webhook]) -> None:
    """Hand every body to the outbox, which posts it once this is committed, and again until it is taken."""
    for job in batch.jobs:
        delivery_id = await post_webhook(batch.db, batch.organisation_id, job.params)
        if delivery_id is None:
            raise TaskRefused("The target is not known, or disabled.")
        job.finish([WebhookResult(delivery_id=delivery_id)], LogEntry(f"Queued the delivery {delivery_id}"))
