"""`jobgate call`: sign a call, post it, show the answer, and stay with the job that it started."""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from jobgate.cli.failures import Unusable
from jobgate.cli.surroundings import data_option

if TYPE_CHECKING:
    from jobgate.client import Client, Reply

REFUSED = 1
POLL_MIN_S, POLL_MAX_S = 0.05, 2.0
PATIENCE_S = 60.0
"""How long a gateway may be away while a job is waited for."""

ERRORS_SHOWN = 20
LOOKED_AT = ["status", "progress"]
SHOWN = ["reference", "type", "status", "dt_created", "dt_completed", "data", "results", "error", "progress"]
SEVERITIES = ("info", "warning", "error")


@click.command()
@click.argument("endpoint")
@click.argument("action")
@click.argument("request", required=False)
@click.option("--wait", is_flag=True, help="Wait for the job that the call starts, and show how it ended.")
@click.option("--version", default="latest-lts", show_default=True, help="Version segment of the URL.")
@click.option("--json", "as_json", is_flag=True, help="With --wait: print only the job's record, as JSON.")
@data_option
def call(endpoint: str, action: str, request: str | None, wait: bool, version: str, as_json: bool, data: Path) -> None:
    """Sign a call and print the answer. REQUEST is a JSON object, @FILE, or - for standard input.

    The gateway and the consumer are those of a running `jobgate dev`, or JOBGATE_URL, JOBGATE_KEY, JOBGATE_SECRET and
    JOBGATE_DOMAIN. Exit code 1: the call was refused, or its job did not complete.
    """
    from jobgate.cli.surroundings import find_client

    client = find_client(data)
    reply = post(client, endpoint.strip("/"), action, distinguish(read_request(request)), version)
    reference = find_reference(reply.data) if reply.accepted else None
    if not (as_json and wait and reference):
        envelope = {"meta": reply.meta} | ({"data": reply.data} if reply.accepted else {})
        click.echo(json.dumps(envelope, indent=2, ensure_ascii=False))
    if not reply.accepted:
        sys.exit(REFUSED)
    if not wait:
        return
    if reference is None:
        click.echo("the call started no job", err=True)
        return
    job = follow(client, reference)
    if as_json:
        click.echo(json.dumps(job, indent=2, ensure_ascii=False))
    else:
        show_outcome(job)
    if job["status"] != "completed":
        sys.exit(REFUSED)


def read_request(text: str | None) -> dict[str, Any]:
    """The request as an object."""
    if text is None:
        return {}
    where = "REQUEST"
    try:
        if text == "-":
            where, text = "standard input", sys.stdin.read()
        elif text.startswith("@"):
            where = text[1:]
            text = Path(where).read_text(encoding="utf-8")
        request = json.loads(text)
    except OSError as error:
        raise Unusable(f"{where} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise Unusable(f"{where} is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise Unusable(f'{where} must be a JSON object, like {{"limit": 10}}')
    return request


def distinguish(request: dict[str, Any]) -> dict[str, Any]:
    """Give the call an id of its own: equal calls within a minute would sign equal, and count as retries."""
    meta = request.get("meta")
    return request | {"meta": (meta if isinstance(meta, dict) else {}) | {"request_id": str(uuid.uuid4())}}


def post(
    client: Client, endpoint: str, action: str | None, request: dict[str, Any], version: str = "latest-lts"
) -> Reply:
    """The answer; nobody answering ends the command."""
    from jobgate.client import Unreachable

    try:
        return client.call(endpoint, action, request, version=version)
    except Unreachable as error:
        advice = "correct JOBGATE_URL" if os.environ.get("JOBGATE_URL") else "is `jobgate dev` running?"
        raise Unusable(f"{error}; {advice}") from error


def find_reference(data: Any) -> str | None:
    """The job reference in an answer: an object, or an array of one."""
    if isinstance(data, list):
        data = data[0] if data else None
    reference = data.get("job_reference") if isinstance(data, dict) else None
    return reference if isinstance(reference, str) else None


# -- waiting ---------------------------------------------------------------------------------------------------------


def follow(client: Client, reference: str) -> dict[str, Any]:
    """Wait for the job's end, showing on standard error how far it is; its last record."""
    from jobgate.cli.progress import Progress

    with Progress(f"job {reference[:8]}") as progress:
        pause_s = POLL_MIN_S
        answered_at = time.monotonic()
        while True:
            job, answered_at = ask(client, reference, LOOKED_AT, answered_at)
            if job is not None:
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


def show_outcome(job: dict[str, Any]) -> None:
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
    for line in (job.get("data") or {}).get("log", []):
        counters = "".join(f" {name}={count}" for name, count in (line["counters"] or {}).items())
        click.echo(f"  {line['time']}  {SEVERITIES[line['severity']]:<7}  {line['message']}{counters}")


def is_failed(entry: Any) -> bool:
    """Whether a line of `results` reports an error."""
    return isinstance(entry, dict) and entry.get("status") == "error"
