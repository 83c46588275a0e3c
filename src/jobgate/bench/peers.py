"""What the gateway is measured against: the least that could do the same work. `python -m jobgate.bench.peers NAME`.

`refusing` and `finding` run on our own server with our limits, so that only what lies above it is compared; `fastapi`
runs on plain uvicorn.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import uuid
from datetime import datetime
from urllib.parse import parse_qsl

import click
import uvloop
from starlette.types import Receive, Scope, Send

from jobgate.bench.stage import CALLER
from jobgate.db import Database
from jobgate.server import build_server
from jobgate.settings import Settings, read_settings

_REFUSAL = b'{"meta":{"status":false,"code":41003,"message":"signature mismatch"}}'


@click.command()
@click.argument("name", type=click.Choice(["refusing", "finding", "fastapi"]))
@click.option("--port", type=int, required=True)
def main(name: str, port: int) -> None:
    """Serve a peer until SIGTERM."""
    settings = read_settings(os.environ)
    if name == "fastapi":
        import uvicorn  # noqa: PLC0415  # the others do without

        from jobgate.bench.fastapi_peer import create_app  # noqa: PLC0415  # FastAPI is a tool of development only

        framework = create_app(settings.database_url, settings.gateway_pool)
        # With the access log that uvicorn writes by itself: the gateway writes one, too.
        uvicorn.run(framework, port=port, loop="uvloop", http="httptools")
    else:
        app = Refusing() if name == "refusing" else Finding(settings)
        uvloop.run(build_server(app, settings, host="127.0.0.1", port=port).serve(signals=True))


class Refusing:
    """Reads a form and computes the HMAC over it, and refuses."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call."""
        if scope["type"] == "lifespan":
            await live(receive, send)
            return
        if scope["method"] == "GET":
            await answer(send, 200, b"{}")
            return
        form = dict(parse_qsl((await read(receive)).decode()))
        packet = json.loads(form["security"])
        text = "_".join(
            (packet["consumer_key"], packet["domain"], packet["timestamp"], form["request"], form["action"])
        )
        signature = "$02$" + hmac.digest(CALLER.secret.encode(), text.encode(), hashlib.sha256).hex()
        if not hmac.compare_digest(signature, packet["signature"]):
            await answer(send, 403, _REFUSAL)
        else:
            await answer(send, 200, b"{}")


class Finding:
    """Runs the statement behind `jobs` get for the one reference in a JSON body, and answers its row as JSON."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.db: Database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call."""
        if scope["type"] == "lifespan":
            self.db = await connect(self.settings)
            await live(receive, send)
            await self.db.close()
            return
        if scope["method"] == "GET":
            await answer(send, 200, b"{}")
            return
        references = json.loads(await read(receive))["references"]
        rows = await self.db.fetch(
            "find_jobs_by_reference", CALLER.key, [uuid.UUID(text) for text in references], *[None] * 4, 1000, False
        )
        records = [
            {
                "reference": str(row["reference"]),
                "type": row["type"],
                "status": row["state"],
                "dt_created": show(row["created_at"]),
                "dt_completed": show(row["completed_at"]),
            }
            for row in rows
        ]
        await answer(send, 200, json.dumps({"data": records}).encode())


def show(moment: datetime | None) -> str | None:
    """A time as `jobs` answers it."""
    return None if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S")


async def connect(settings: Settings) -> Database:
    """The pool of a gateway."""
    return await Database.connect(
        settings.database_url,
        size=settings.gateway_pool,
        acquire_s=settings.gateway_acquire_s,
        statement_s=settings.gateway_statement_s,
        lock_s=settings.gateway_acquire_s,
        name="peer",
    )


async def live(receive: Receive, send: Send) -> None:
    """Start and stop when told."""
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.complete"})


async def read(receive: Receive) -> bytes:
    """The whole body."""
    body = b""
    more = True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def answer(send: Send, status: int, body: bytes) -> None:
    """A JSON answer."""
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    main()
