"""Webhooks: what somebody wants to be posted to a target, whatever that is told of sessions."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from jobgate import wire
from jobgate.db import Transaction


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A body, and the target that it goes to."""

    target_id: uuid.UUID
    """One of `push/targets`."""
    body: dict[str, Any]
    """Anything; it is posted as it is."""


async def post_webhook(db: Transaction, organisation_id: int, webhook: Webhook) -> uuid.UUID | None:
    """Queue a delivery; its id, None where the target is unknown or disabled."""
    body = wire.encode(webhook.body)
    found: uuid.UUID | None = await db.fetchval("insert_delivery", organisation_id, webhook.target_id, "webhook", body)
    return found
