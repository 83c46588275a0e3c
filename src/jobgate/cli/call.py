"""`jobgate call`: sign a call, post it, show the answer, and stay with the job that it started."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from jobgate.cli.failures import Unusable
from jobgate.cli.following import find_reference, follow, show_outcome
from jobgate.cli.posting import distinguish, post
from jobgate.cli.surroundings import data_option

REFUSED = 1


@click.command()
@click.argument("endpoint")
@click.argument("action")
@click.argument("request", required=False)
@click.option("--wait", is_flag=True, help="Wait for the job that the call starts or shows, and tell how it ended.")
@click.option("--follow", "listen", is_flag=True, help="The same, and show what the job says while it runs.")
@click.option("--version", default="latest-lts", show_default=True, help="Version segment of the URL.")
@click.option("--json", "as_json", is_flag=True, help="When waiting: print only the job's last record, as JSON.")
@data_option
def call(
    endpoint: str,
    action: str,
    request: str | None,
    wait: bool,
    listen: bool,
    version: str,
    as_json: bool,
    data: Path,
) -> None:
    """Sign a call and print the answer. REQUEST is a JSON object, @FILE, or - for standard input.

    The gateway and the consumer are those of a running `jobgate dev`, or JOBGATE_URL, JOBGATE_KEY, JOBGATE_SECRET and
    JOBGATE_DOMAIN. Exit code 1: the call was refused, or its job did not complete.
    """
    from jobgate.cli.surroundings import find_client

    client = find_client(data)
    reply = post(client, endpoint.strip("/"), action, distinguish(read_request(request)), version)
    waits = reply.accepted and (wait or listen)
    reference = find_reference(client, reply.data) if waits else None
    if not (as_json and reference):
        envelope = {"meta": reply.meta} | ({"data": reply.data} if reply.accepted else {})
        click.echo(json.dumps(envelope, indent=2, ensure_ascii=False))
    if not reply.accepted:
        sys.exit(REFUSED)
    if not waits:
        return
    if reference is None:
        click.echo("the call started no job", err=True)
        return
    job = follow(client, reference, listen=listen and not as_json)
    if as_json:
        click.echo(json.dumps(job, indent=2, ensure_ascii=False))
    else:
        show_outcome(job, with_log=not listen)
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
