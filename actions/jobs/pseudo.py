"""Saved jobs that replace identities in what a store has recorded up to a time."""

from __future__ import annotations

from jobgate.tasks.pseudo import Pseudo
from jobgate.typed_jobs import typed_jobs

pseudo = typed_jobs("pseudo", Pseudo)
