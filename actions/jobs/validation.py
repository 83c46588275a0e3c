"""Saved jobs that judge what a store recorded without validation."""

from __future__ import annotations

from jobgate.tasks.validation import Validation
from jobgate.typed_jobs import typed_jobs

validation = typed_jobs("validation", Validation)
