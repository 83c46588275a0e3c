"""Saved jobs that bring what a store has recorded to an LRS, or into files."""

from __future__ import annotations

from jobgate.tasks.push import Push
from jobgate.typed_jobs import typed_jobs

push = typed_jobs("push", Push)
