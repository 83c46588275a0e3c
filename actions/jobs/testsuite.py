"""Saved jobs that ask an LRS whether it keeps the xAPI standard."""

from __future__ import annotations

from jobgate.tasks.testsuite import Conformance
from jobgate.typed_jobs import typed_jobs

testsuite = typed_jobs("testsuite", Conformance)
