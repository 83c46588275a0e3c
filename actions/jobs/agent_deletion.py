"""Saved jobs that remove every trace of an agent, or of a person, from a store."""

from __future__ import annotations

from jobgate.tasks.agent_deletion import AgentDeletion
from jobgate.typed_jobs import typed_jobs

agent_deletion = typed_jobs("agent-deletion", AgentDeletion)
