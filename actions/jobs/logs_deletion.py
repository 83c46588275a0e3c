"""Saved jobs that delete what is logged about stores."""

from __future__ import annotations

from jobgate.tasks.logs_deletion import LogsDeletion
from jobgate.typed_jobs import typed_jobs

logs_deletion = typed_jobs("logs-deletion", LogsDeletion)
