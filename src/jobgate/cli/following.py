"""Following a job: find it in an answer, wait for its end, show what it says meanwhile and how it ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from jobgate.cli.failures import Unusable
from jobgate.cli.posting import post

if TYPE_CHECKING:
    from jobgate.client import Client

POLL_MIN_S, POLL_MAX_S = 0.05, 2.0
PATIENCE_S = 60.0
"""How long a gateway may be away while a job is waited for."""

ERRORS_SHOWN = 20
LOOKED_AT = ["status", "progress"]
LISTENED_TO = [*LOOKED_AT, "data"]
SHOWN = ["reference", "type", "status", "dt_created", "dt_completed", "data", "results", "error", "progress"]
SEVERITIES = ("info", "warning", "error")


def find_reference(client: Client, data: Any) -> str | None:
    """The job that an answer is about: one that was started, or an execution; the first of an array."""
    if isinstance(data, list):
        data = data[0] if data else None
    if not isinstance(data, dict):
        return None
    if "trigger_id" in data and "state" not in data:
        wanted = {"job_id": data["job_id"], "trigger_id": data["trigger_id"], "limit": 1}
        return find_reference(client, post(client, "jobs/executions", "get", wanted).data)
    reference = data.get("id") if "trigger_id" in data else data.get("job_reference")
    return reference if isinstance(reference, str) else None


def follow(client: Client, reference: str, *, listen: bool = False) -> dict[str, Any]:
    """Wait for the job's end, showing on standard error how far it is; its last record.

    `listen`: what it says is printed as soon as it can be read.
    """
    from jobgate.cli.progress import Progress

    with Progress(f"job {reference[:8]}") as progress:
        pause_s = POLL_MIN_S
        answered_at = time.monotonic()
        heard: list[Any] = []
        while True:
            job, answered_at = ask(client, reference, LISTENED_TO if listen else LOOKED_AT, answered_at)
            if job is not None:
                if listen:
                    said = job["data"]["log"]
                    for entry in find_fresh(heard, said):
                        progress.say(describe(entry))
                    heard = said
                done = job.get("progress") or {}
                progress.show(job["status"], done.get("done", 0), done.get("total", 0))
                if job["status"] in ("completed", "halted"):
                    break
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.3, POLL_MAX_S)
        while (job := ask(client, reference, SHOWN, answered_at)[0]) is None:
            time.sleep(POLL_MAX_S)
        return job


def ask(
    client: Client, reference: str, properties: list[str], answered_at: float
) -> tuple[dict[str, Any] | None, float]:
    """The job's record, and when the gateway last answered; a gateway that restarts meanwhile is waited for."""
    from jobgate.client import Unreachable

    now = time.monotonic()
    try:
        reply = client.call("jobs", "get", {"references": [reference], "include": properties})
        if reply.accepted:
            if not reply.data:
                raise Unusable(f"the gateway knows no job {reference} of this consumer")
            return reply.data[0], now
        trouble = f"{reply.status}: {reply.meta.get('message')}"
        if reply.status not in (429, 503):
            raise Unusable(f"the job runs, but cannot be watched ({trouble})")
    except Unreachable as error:
        trouble = str(error)
    if now - answered_at > PATIENCE_S:
        raise Unusable(f"the job {reference} was accepted, but nobody tells how it fares ({trouble})")
    return None, answered_at


def find_fresh(heard: list[Any], said: list[Any]) -> list[Any]:
    """The entries after those that were heard: a record has the newest only, so the oldest may be gone meanwhile."""
    for kept in range(min(len(heard), len(said)), 0, -1):
        if heard[-kept:] == said[:kept]:
            return said[kept:]
    return said


def show_outcome(job: dict[str, Any], *, with_log: bool = True) -> None:
    """How the job ended: state, entries that failed, log."""
    error = job.get("error") or {}
    because = f": {error.get('message')} ({error.get('code')})" if error else ""
    click.echo(f"{job['type']} {job['reference']} {job['status']}{because}")
    results = job.get("results")
    entries = results if isinstance(results, list) else []
    failed = [(index, entry) for index, entry in enumerate(entries) if is_failed(entry)]
    if entries:
        click.echo(f"{len(entries) - len(failed)} of {len(entries)} entries ok")
    for index, entry in failed[:ERRORS_SHOWN]:
        click.echo(f"  entry {index}: {entry.get('message')} ({entry.get('code')})")
    if len(failed) > ERRORS_SHOWN:
        click.echo(f"  … and {len(failed) - ERRORS_SHOWN} more (--json shows them all)")
    if with_log:
        for entry in (job.get("data") or {}).get("log", []):
            click.echo(describe(entry))


def describe(entry: dict[str, Any]) -> str:
    """A log entry as one line."""
    counters = "".join(f" {name}={count}" for name, count in (entry["counters"] or {}).items())
    return f"  {entry['time']}  {SEVERITIES[entry['severity']]:<7}  {entry['message']}{counters}"


def is_failed(entry: Any) -> bool:
    """Whether a line of `results` reports an error."""
    return isinstance(entry, dict) and entry.get("status") == "error"
