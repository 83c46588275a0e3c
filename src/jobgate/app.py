"""The ASGI application: what is open while it runs, and which path leads where.

POST is answered before any routing (`dispatch`), because that is what a gateway does all day. The rest is small:
`/healthz`, `/readyz`, `/metrics`, and the upload URLs that `reports/datasets` hands out.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from jobgate import beacons, dispatch, log, migrations, wire
from jobgate.callers import Callers
from jobgate.datasets import uploads
from jobgate.db import Database
from jobgate.dispatch import Answer, Call, Gateway
from jobgate.doorbell import Doorbell
from jobgate.errors import ApiError, Code
from jobgate.keys import OuterKey
from jobgate.metrics import Metrics
from jobgate.registry import Actions, Tasks
from jobgate.scoring.maths.evaluator import Evaluator
from jobgate.settings import Settings
from jobgate.status import JSON_TYPE, Status, status_routes
from jobgate.sweeper import Sweeper

logger = logging.getLogger("jobgate")

_CONTENT_TYPE = (b"content-type", JSON_TYPE.encode())


class Application(Starlette):
    """Answers POST before any middleware and routing of the framework, and leaves it the rest."""

    gate: Gateway
    status: Status
    """Both are there once the lifespan has started."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI call."""
        if scope["type"] == "http" and scope["method"] == "POST":
            await answer_post(self.gate, scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def create_app(settings: Settings, actions: Actions, tasks: Tasks, metrics: Metrics) -> Application:
    """The gateway."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            gate = application.gate = await open_gateway(settings, actions, tasks, metrics, stack)
            application.status = Status(
                gate.db, metrics, settings.gateway_acquire_s, lambda: "stopping" if gate.draining else None
            )
            yield

    application = Application(
        routes=[
            *status_routes(),
            Route("/uploads/{dataset_id}/{number}", receive_upload, methods=["PUT"]),
        ],
        exception_handlers={404: refuse_method, 405: refuse_method, Exception: refuse_internal},
        lifespan=lifespan,
    )
    return application


async def open_gateway(
    settings: Settings, actions: Actions, tasks: Tasks, metrics: Metrics, stack: AsyncExitStack
) -> Gateway:
    """Connect, check the schema, and start what runs beside the requests."""
    key = OuterKey(settings.secret_key)
    db = await Database.connect(
        settings.database_url,
        size=settings.gateway_pool,
        acquire_s=settings.gateway_acquire_s,
        statement_s=settings.gateway_statement_s,
        lock_s=settings.gateway_acquire_s,
        cache_size=settings.statement_cache_size,
        name="gateway",
    )
    stack.push_async_callback(db.close)
    async with db.connection() as queries:
        await migrations.require_current(queries.connection)
    doorbell = Doorbell(settings.redis_url)
    stack.push_async_callback(doorbell.close)
    gate = Gateway(
        db=db,
        settings=settings,
        key=key,
        actions=actions,
        param_types={task.type: task.params for task in tasks.values()},
        callers=Callers(db, key, settings),
        metrics=metrics,
        ring=doorbell.ring,
        maths=await stack.enter_async_context(Evaluator()),
    )
    sweeper = Sweeper(db, settings, metrics, doorbell, on_depths=lambda depths: setattr(gate, "queue_depths", depths))
    for work in (doorbell.run_ringer(), sweeper.run(), beacons.wake(db, gate.room)):
        background = asyncio.create_task(work)
        stack.push_async_callback(_end, background)
    return gate


async def _end(background: asyncio.Task[None]) -> None:
    background.cancel()
    await asyncio.wait([background])


async def answer_post(gate: Gateway, scope: Scope, receive: Receive, send: Send) -> None:
    """Read the body, answer it, log it."""
    started = time.perf_counter()
    content_type = None
    for name, value in scope["headers"]:
        if name == b"content-type":
            content_type = value
    client = scope["client"]
    call = Call(scope["path"], content_type, b"", client[0] if client else "unix", dispatch.new_request_id())
    if gate.in_flight >= gate.settings.max_in_flight:
        answer = dispatch.refuse(gate, call, ApiError(Code.unavailable, "The gateway is full; send the packet again."))
    else:
        gate.in_flight += 1
        token = log.scope.set({"request_id": call.request_id})
        try:
            body = await read_body(receive)
            if body is None:
                return
            call.body = body
            call.left = partial(wait_for_end, receive)
            answer = await dispatch.answer(gate, call)
        finally:
            gate.in_flight -= 1
            log.scope.reset(token)
    await send_answer(send, answer)
    seconds = time.perf_counter() - started
    record(gate, call, answer, seconds)


async def read_body(receive: Receive) -> bytes | None:
    """The whole body (the server layer bounds size and time), or None if the client left."""
    message = await receive()
    if not message.get("more_body", False):
        return None if message["type"] == "http.disconnect" else message.get("body", b"")
    parts = [message["body"]]
    while message.get("more_body", False):
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
    return b"".join(parts)


async def wait_for_end(receive: Receive) -> None:
    """Returns when the client has gone: after its body a request brings nothing else."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_answer(send: Send, answer: Answer) -> None:
    """Status, headers, body."""
    headers = [_CONTENT_TYPE, (b"content-length", b"%d" % len(answer.body))]
    if answer.retry_after_s is not None:
        headers.append((b"retry-after", b"%d" % answer.retry_after_s))
    if answer.status == 405:
        headers.append((b"allow", b"POST"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


def record(gate: Gateway, call: Call, answer: Answer, seconds: float) -> None:
    """Count the answer and write its log line."""
    verb = call.verb or "none"
    gate.metrics.requests.add(verb, answer.status)
    gate.metrics.request_seconds.add(verb, seconds)
    log.event(
        logger,
        "request",
        request_id=call.request_id,
        consumer=call.consumer,
        endpoint=call.endpoint,
        action=verb,
        status=answer.status,
        code=answer.code.name if answer.code is not None else None,
        ms=round(seconds * 1000, 3),
        source=call.source,
    )


# -- the other paths -------------------------------------------------------------------------------------------------


def _json(answer: Answer) -> Response:
    headers = {"content-type": JSON_TYPE}
    if answer.retry_after_s is not None:
        headers["retry-after"] = str(answer.retry_after_s)
    if answer.status == 405:
        headers["allow"] = "POST"
    return Response(answer.body, answer.status, headers)


def _refusal(request: Request, error: ApiError) -> Response:
    gate: Gateway = request.app.gate
    call = Call(request.url.path, None, b"", "", dispatch.new_request_id())
    return _json(dispatch.refuse(gate, call, error))


def refuse_method(request: Request, _: Exception) -> Response:
    """Everything here is a POST, except the paths above."""
    return _refusal(request, ApiError(Code.method_not_allowed, f"{request.method} is not allowed; use POST"))


def refuse_internal(request: Request, error: Exception) -> Response:
    """A bug: the log has it, the caller learns nothing of it."""
    log.failure(logger, "request.failed", error)
    return _refusal(request, ApiError(Code.internal, "Something went wrong here; the operator's log knows more."))


async def receive_upload(request: Request) -> Response:
    """Membership lines for a dataset, put to a URL that `reports/datasets` handed out."""
    started = time.perf_counter()
    gate: Gateway = request.app.gate
    source = request.client.host if request.client else "unix"
    call = Call(request.url.path, None, b"", source, dispatch.new_request_id(), endpoint="uploads", verb="put")
    if gate.in_flight >= gate.settings.max_in_flight:
        answer = dispatch.refuse(gate, call, ApiError(Code.unavailable, "The gateway is full; send the file again."))
    else:
        gate.in_flight += 1
        try:
            answer = await dispatch.answered(gate, call, _take_file(gate, request))
        finally:
            gate.in_flight -= 1
    record(gate, call, answer, time.perf_counter() - started)
    return _json(answer)


async def _take_file(gate: Gateway, request: Request) -> Answer:
    place = (request.path_params, request.query_params)
    try:
        taken = await uploads.receive(gate.db, gate.key, gate.settings, *place, request.stream(), time.time())
    except ClientDisconnect:
        raise ApiError(Code.body_timeout, "the file ended before its end") from None
    return Answer(200, wire.success(taken, now_s=int(time.time())))
