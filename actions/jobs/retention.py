"""Saved jobs that delete the organisation's finished jobs, with what they logged, once they are old enough."""

from __future__ import annotations

from jobgate.typed_jobs import typed_jobs
from jobgate.windows import Window

retention = typed_jobs("retention", Window)
