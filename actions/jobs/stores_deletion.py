"""Saved jobs that delete a store with all that it has."""

from __future__ import annotations

from jobgate.tasks.stores_deletion import StoreDeletion
from jobgate.typed_jobs import typed_jobs

stores_deletion = typed_jobs("stores-deletion", StoreDeletion)
