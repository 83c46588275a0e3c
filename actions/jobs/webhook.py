"""Saved jobs that post a JSON body to a push target of the organisation."""

from __future__ import annotations

from jobgate.outbox import Webhook
from jobgate.typed_jobs import typed_jobs

webhook = typed_jobs("webhook", Webhook)
