"""Saved jobs that delete what a store has recorded up to a time."""

from __future__ import annotations

from jobgate.tasks.clearing import Clearing
from jobgate.typed_jobs import typed_jobs

clearing = typed_jobs("clearing", Clearing)
