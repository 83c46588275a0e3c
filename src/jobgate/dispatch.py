"""From a posted body to an answer: the main path, one call a step, and the one place where failure becomes a reply.

bytes -> form -> security -> consumer -> signature -> time, expiry, domain -> rate -> endpoint and action -> grant ->
request -> handler -> envelope. The first step that refuses answers.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from random import getrandbits, uniform
from typing import Any

import asyncpg
import msgspec

from jobgate import __version__, jobs, log, signing, wire
from jobgate.callers import Callers, Turn
from jobgate.context import Caller, Context, Guard, Reply, as_reply
from jobgate.db import CONTENDED, UNAVAILABLE, Database
from jobgate.errors import ApiError, Code, shown
from jobgate.forms import Form, read_form
from jobgate.keys import OuterKey
from jobgate.metrics import Metrics
from jobgate.registry import VERBS, Action, Actions
from jobgate.scoring.maths.evaluator import Evaluator
from jobgate.settings import Settings
from jobgate.waiting import WaitingRoom

logger = logging.getLogger("jobgate")

VERSION = re.compile(r"v\d+(\.\d+)*(\.[a-z0-9]+)?|latest|latest-lts|developer|stable", re.IGNORECASE | re.ASCII)
"""Well-formed version segments: what the six official clients can send."""

LATEST_VERSION = "v2026.2.LTS"
"""What the aliases stand for: the newest train of the documented release list."""

_RETRY_AFTER_S = 2.0


async def stay() -> None:
    """Of a client that never goes."""
    await asyncio.Event().wait()


@dataclass(slots=True)
class Call:
    """A POST as it arrived, and what is learnt about it on the way; the request log tells it all."""

    path: str
    content_type: bytes | None
    body: bytes
    source: str
    request_id: str
    consumer: str = ""
    endpoint: str = ""
    verb: str = ""
    ignored: tuple[str, ...] = ()
    left: Callable[[], Coroutine[Any, Any, None]] = stay
    """Returns when the client has gone."""


class Answer(msgspec.Struct, frozen=True):
    """What goes back."""

    status: int
    body: bytes
    code: Code | None = None
    retry_after_s: int | None = None


@dataclass(slots=True)
class Gateway:
    """Everything that answering needs, made once at startup."""

    db: Database
    settings: Settings
    key: OuterKey
    actions: Actions
    param_types: Mapping[str, Any]
    """What the tasks take: jobs that are saved are checked before anything runs them."""
    callers: Callers
    metrics: Metrics
    ring: Callable[[], None]
    maths: Evaluator
    room: WaitingRoom = field(default_factory=WaitingRoom)
    draining: bool = False
    in_flight: int = 0
    queue_depths: dict[str, int] = field(default_factory=dict)
    """Queued jobs by consumer, as last sampled; new jobs are refused beyond the limits."""

    def drain(self) -> None:
        """The process stops: who waits for something is answered now."""
        self.draining = True
        self.room.close()


def answer(gate: Gateway, call: Call) -> Awaitable[Answer]:
    """Answer a POST. Never raises."""
    return answered(gate, call, _answer(gate, call))


async def answered(gate: Gateway, call: Call, work: Awaitable[Answer]) -> Answer:
    """What `work` answers; whatever goes wrong in it becomes an envelope with a documented code."""
    try:
        return await work
    except ApiError as error:
        return refuse(gate, call, error)
    except CONTENDED + UNAVAILABLE as error:
        count_db_error(gate, error)
        return refuse(gate, call, ApiError(Code.unavailable, "The database is busy or away; send the packet again."))
    except Exception as error:
        log.failure(logger, "request.failed", error)
        return refuse(gate, call, ApiError(Code.internal, "Something went wrong here; the operator's log knows more."))


async def _answer(gate: Gateway, call: Call) -> Answer:
    version, endpoint = split_path(call.path)
    form, packet = read_call(call.content_type, call.body)
    caller = await authenticate(gate, call, packet, form)
    action = find_action(gate, call, caller, endpoint, form)
    require_grant(gate, caller, action, version)
    turn = Turn(gate.callers, caller)
    await turn.take()
    try:
        request, call.ignored = wire.decode_request(form.request, action.request)
        ctx = Context(
            db=gate.db,
            settings=gate.settings,
            key=gate.key,
            caller=caller,
            organisation_id=choose_organisation(caller, request.organisation_id),
            endpoint=endpoint,
            version=version,
            now=datetime.now(UTC),
            request_id=call.request_id,
            guard=guard(gate, action, packet),
            ring=gate.ring,
            maths=gate.maths,
            param_types=gate.param_types,
            user_id=packet.user_id,
            room=gate.room,
            aside=partial(step_aside, gate, call, turn),
        )
        if action.guarded:
            require_room(gate, caller)
        return await handle(gate, call, ctx, action, request)
    finally:
        turn.give_up()


@asynccontextmanager
async def step_aside(gate: Gateway, call: Call, turn: Turn) -> AsyncIterator[asyncio.Future[None]]:
    """While a call waits it holds no turn and counts for nothing; it yields what is done when the client has gone."""
    gone = asyncio.create_task(call.left())
    turn.give_up()
    gate.in_flight -= 1
    try:
        yield gone
    finally:
        gate.in_flight += 1
        gone.cancel()
    await turn.take()


# -- the steps -------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def split_path(path: str) -> tuple[str, str]:
    """`/v2025.1.LTS/jobs` as version and endpoint; a trailing slash is fine. Raises 404 / 20012."""
    version, _, endpoint = path.strip("/").partition("/")
    if VERSION.fullmatch(version) is None:
        raise ApiError(Code.endpoint_not_found, f"{shown(path)} has no version; call /{{version}}/{{endpoint}}")
    return version, endpoint


def read_call(content_type: bytes | None, body: bytes) -> tuple[Form, signing.Packet]:
    """The form, and the packet in it, unproven. Raises 41000, 41001, 41006, or 20002."""
    return _read_again(content_type, body) if len(body) <= POLL_BYTES else _read(content_type, body)


def _read(content_type: bytes | None, body: bytes) -> tuple[Form, signing.Packet]:
    form = read_form(content_type, body)
    return form, signing.read_security(form.security)


POLL_BYTES = 2048
"""Who polls sends the same short bytes for a minute; they are taken apart once, and proven every time."""

_read_again = lru_cache(maxsize=1024)(_read)


async def authenticate(gate: Gateway, call: Call, packet: signing.Packet, form: Form) -> Caller:
    """Who sent this, proven: consumer, signature, time, domain, in that order."""
    now = time.monotonic()
    call.consumer = packet.consumer_key
    gate.callers.require_welcome(call.source, now)
    caller = await gate.callers.find(packet.consumer_key, now)
    if not caller.active:
        raise ApiError(Code.consumer_inactive, "the consumer is inactive")
    settings = gate.settings
    if signing.verify(packet, caller.secrets, form.request, form.action, accept_v1=settings.accept_v1) is None:
        raise ApiError(Code.signature_mismatch, "the signature does not fit the posted text and a live secret")
    signing.check_time(packet, time.time(), settings.clock_skew_s)
    if packet.domain not in caller.domains:
        raise ApiError(Code.domain_not_allowed, f"the domain {shown(packet.domain)} is not allowed for the consumer")
    return caller


UNSAID = (None, b"undefined")
"""What stands for `get`: nothing, and the word that the SDK for Node.js posts when its caller gives no action."""


def find_action(gate: Gateway, call: Call, caller: Caller, endpoint: str, form: Form) -> Action:
    """The handler for this endpoint and action, after the call was counted against the consumer's rate."""
    verb = "get" if form.action in UNSAID else form.action.decode()
    verbs = gate.actions.get(endpoint)
    call.verb = verb if verb in VERBS else "unknown"
    call.endpoint = endpoint if verbs is not None else "unknown"
    gate.callers.count_call(caller, call.verb, call.endpoint, time.monotonic())
    if verbs is None:
        raise ApiError(Code.endpoint_not_found, f"there is no endpoint {shown(endpoint)}")
    action = verbs.get(verb)
    if action is None:
        raise ApiError(
            Code.unsupported_value, f"`action` must be {' or '.join(verbs)} on {endpoint}, not {shown(verb)}"
        )
    return action


def require_grant(gate: Gateway, caller: Caller, action: Action, version: str) -> None:
    """May this consumer call this endpoint in this version, and is the service on?"""
    if caller.minimum_version is not None and version_order(version) < version_order(caller.minimum_version):
        raise ApiError(Code.version_too_low, f"the consumer needs version {caller.minimum_version} or later")
    if not gate.settings.jobs_api and (action.endpoint == "jobs" or action.endpoint.startswith("jobs/")):
        raise ApiError(Code.service_disabled, "the job service is switched off")
    if caller.endpoints is not None and action.endpoint not in caller.endpoints:
        raise ApiError(Code.access_denied, f"the consumer may not call {action.endpoint}")


def choose_organisation(caller: Caller, wanted: int | None) -> int:
    """The organisation to act in: the one asked for, if the consumer holds it, else its home."""
    if caller.organisation_id is None:
        raise ApiError(Code.no_organisation, "the consumer belongs to no organisation")
    if wanted is None:
        return caller.organisation_id
    if wanted not in caller.organisations:
        raise ApiError(Code.organisation_forbidden, f"the consumer has no rights on organisation {wanted}")
    return wanted


def guard(gate: Gateway, action: Action, packet: signing.Packet) -> Guard | None:
    """What stands for the packet's bytes: the signature covers every other field, the endpoint is not in it."""
    if not action.guarded:
        return None
    text = f"{action.endpoint} {packet.signature}"
    return Guard(hashlib.sha256(text.encode()).digest(), gate.settings.replay == "refuse")


def require_room(gate: Gateway, caller: Caller) -> None:
    """Refuse new work while too much waits; what was accepted before stays accepted."""
    depths = gate.queue_depths
    if not caller.unlimited and depths.get(caller.key, 0) >= gate.settings.max_queued_per_consumer:
        raise ApiError(Code.rate_limited, "Too many requests: your queued jobs fill the quota", retry_after_s=5)
    if sum(depths.values()) >= gate.settings.max_queued:
        raise ApiError(Code.unavailable, "The queue is full; send the packet again later.", retry_after_s=10)


async def handle(gate: Gateway, call: Call, ctx: Context, action: Action, request: Any) -> Answer:
    """Run the handler, and wrap what it returns. An equal packet that was accepted before gets the first answer."""
    try:
        try:
            reply = await action.handle(ctx, request)
        except ApiError:
            # What is wrong by now may have been right when an equal packet was accepted.
            await jobs.replay(ctx)
            raise
    except jobs.Replayed as earlier:
        gate.metrics.replays.inc()
        return wrap(gate, call, ctx, wire.decode(earlier.answer, Reply[msgspec.Raw]), replayed=True)
    return wrap(gate, call, ctx, as_reply(reply))


def wrap(gate: Gateway, call: Call, ctx: Context, reply: Reply[Any], *, replayed: bool = False) -> Answer:
    """The success envelope, if it is not too large for a client."""
    body = wire.success(
        reply.data,
        now_s=int(ctx.now.timestamp()),
        records=reply.records,
        next=reply.next,
        versions=versions(ctx.version),
        replayed=replayed,
        ignored=call.ignored,
    )
    if len(body) > gate.settings.max_answer:
        raise ApiError(Code.answer_too_large, "the answer would be too large; ask for less")
    return Answer(200, body)


_UNPROVEN = (Code.unknown_consumer, Code.signature_mismatch, Code.consumer_inactive)
"""Refusals of who did not prove to be somebody: they count against the source."""


def refuse(gate: Gateway, call: Call, error: ApiError) -> Answer:
    """The failure envelope, counted."""
    reason = error.code.name
    gate.metrics.refused.add(reason)
    if error.code in _UNPROVEN:
        gate.callers.count_failure(call.source)
        gate.metrics.auth_failures.add(reason)
    wait = error.data.pop("retry_after_s", None)
    if wait is None and error.code.status in (429, 503):
        wait = _RETRY_AFTER_S
    body = wire.failure(error, now_s=int(time.time()), request_id=call.request_id)
    # Whole seconds, spread so that those who were refused together do not come back together.
    return Answer(
        error.code.status, body, error.code, None if wait is None else max(1, round(wait * uniform(0.8, 1.2)))
    )


def count_db_error(gate: Gateway, error: BaseException) -> None:
    """Count a failure of Postgres by its class."""
    state = error.sqlstate if isinstance(error, asyncpg.PostgresError) and error.sqlstate else "none"
    gate.metrics.db_errors.labels(state[:2]).inc()


# -- versions --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1024)
def version_order(version: str) -> tuple[float, ...]:
    """Something to compare versions by; the aliases come after every number."""
    numbers = re.findall(r"\d+", version.partition(".preview")[0])
    return tuple(map(float, numbers)) if numbers else (float("inf"),)


@lru_cache(maxsize=1024)
def versions(requested: str) -> msgspec.Raw:
    """`meta.versions`: what was asked for, the train that it stands for, the program that answers."""
    mapped = requested if requested[:1] in "vV" else LATEST_VERSION
    concrete = f"{mapped}+jobgate.{__version__}"
    return msgspec.Raw(wire.encode({"requested": requested, "mapped": mapped, "concrete": concrete}))


def new_request_id() -> str:
    """A random UUID for one call, in its answer and on its log lines. It guards nothing, so it need not be secret."""
    digits = f"{getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
