"""Saved jobs that fill a store with made-up statements."""

from __future__ import annotations

from jobgate.tasks.seeding import Seeding
from jobgate.typed_jobs import typed_jobs

seeding = typed_jobs("seeding", Seeding)
