"""`jobgate watch`: stay with a job, and show what it says while it runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobgate.cli.call import REFUSED
from jobgate.cli.failures import Unusable
from jobgate.cli.following import follow, show_outcome
from jobgate.cli.posting import post
from jobgate.cli.surroundings import data_option

if TYPE_CHECKING:
    from jobgate.client import Client

STATES = ["queued", "running", "halted", "completed"]


@click.command()
@click.argument("job", required=False, metavar="[JOB_ID|REFERENCE]")
@data_option
def watch(job: str | None, data: Path) -> None:
    """Show what a job says until it has ended, and how far it is.

    A REFERENCE is that of a job, a JOB_ID that of a definition: its newest execution. Without either it is the newest
    job of the consumer. Gateway and consumer are found as `jobgate call` finds them. Exit code 1: it did not complete.
    """
    from jobgate.cli.surroundings import find_client

    client = find_client(data)
    ended = follow(client, find_newest(client) if job is None else find_job(client, job), listen=True)
    show_outcome(ended, with_log=False)
    if ended["status"] != "completed":
        sys.exit(REFUSED)


def find_newest(client: Client) -> str:
    """The reference of the job that the consumer caused last."""
    reply = post(client, "jobs", "get", {"status": STATES, "limit": 1})
    if not reply.accepted:
        raise Unusable(f"jobs cannot be read ({reply.status}: {reply.meta.get('message')})")
    if not reply.data:
        raise Unusable("this consumer has no jobs")
    reference: str = reply.data[0]["reference"]
    return reference


def find_job(client: Client, named: str) -> str:
    """The reference of a job that is named by it, or by the definition that it is the newest execution of."""
    if post(client, "jobs", "get", {"references": [named]}).data:
        return named
    executions = post(client, "jobs/executions", "get", {"job_id": named, "limit": 1, "log_limit": 0}).data
    if not executions:
        raise Unusable(f"{named} is neither a job of this consumer nor a definition that was executed")
    reference: str = executions[0]["id"]
    return reference
