"""Saved jobs that take what an LRS, or files, have recorded into a store."""

from __future__ import annotations

from jobgate.tasks.pull import Pull
from jobgate.typed_jobs import typed_jobs

pull = typed_jobs("pull", Pull)
