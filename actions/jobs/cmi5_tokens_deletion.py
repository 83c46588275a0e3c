"""Saved jobs that delete tokens that content was launched with."""

from __future__ import annotations

from jobgate.tasks.cmi5_tokens_deletion import TokensDeletion
from jobgate.typed_jobs import typed_jobs

cmi5_tokens_deletion = typed_jobs("cmi5-tokens-deletion", TokensDeletion)
