"""Consumers: who they are, what they may do, and how much of it.

A known consumer is remembered for `consumer_cache_s`, so a revoked secret works no longer than that. Unknown keys are
remembered too, and looked up no faster than `max_consumer_lookups` a second, so that random keys cost the database
nothing. Rate windows and in-flight counts live in the memory of this process: each gateway counts for itself.
"""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter, OrderedDict
from functools import lru_cache

import msgspec

from jobgate.context import Caller
from jobgate.db import UNAVAILABLE, Database, Transaction
from jobgate.errors import ApiError, Code
from jobgate.keys import OuterKey
from jobgate.settings import Settings

WINDOW_S = 5
"""Calls are counted in fixed windows of this length (the public documentation, "Rate limits")."""

KEPT_CONNECTIONS = 2
"""Connections of the pool that one consumer alone cannot hold."""

_REMEMBERED = 10_000
_WINDOW_ENTRIES = 100_000

_PUBLISHED: tuple[tuple[str, str, int], ...] = (
    # The public documentation's table; a longer endpoint wins, a trailing * stands for everything below.
    ("get", "itembank/conversion/*", 50),
    ("get", "scoring", 2000),
    ("update", "sessions/responses/scores", 1000),
    ("update", "sessions/item", 1),
    # Ours: remote workers and data traffic come in small steps.
    ("*", "beacons*", 1000),
    ("*", "xapi/*", 1000),
    ("*", "push/*", 1000),
    ("get", "*", 1000),
    ("*", "*", 50),
)


@lru_cache(maxsize=4096)
def published_rate(verb: str, endpoint: str) -> int:
    """Calls per window that a consumer without overrides may make."""
    for action, pattern, calls in _PUBLISHED:
        stem = pattern.removesuffix("*")
        fits = endpoint.startswith(stem) if pattern.endswith("*") else endpoint == stem
        if fits and action in ("*", verb):
            return calls
    raise AssertionError("the last line of the table fits everything")


class Callers:
    """Looks consumers up and counts what they do."""

    def __init__(self, db: Database, key: OuterKey, settings: Settings) -> None:
        self.db = db
        self.key = key
        self.settings = settings
        self.in_flight: dict[str, int] = {}
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._known: OrderedDict[str, tuple[float, Caller | None]] = OrderedDict()
        self._loading: dict[str, asyncio.Task[Caller | None]] = {}
        self._lookups = (0, 0)
        self._window = 0
        self._calls: dict[tuple[str, str, str], int] = {}
        self._minute = 0
        self._failures: Counter[str] = Counter()

    async def find(self, key: str, now: float) -> Caller:
        """The consumer of this key; `now` is monotonic. Raises 41002, or 42000 when unknown keys come too fast."""
        remembered = self._known.get(key)
        if remembered is not None and remembered[0] > now:
            caller = remembered[1]
        else:
            is_new = key not in self._loading and (remembered is None or remembered[1] is None)
            if is_new:
                self._count_lookup(now)
            try:
                caller = await self._load_once(key)
            except UNAVAILABLE:
                if is_new:  # the same look-up comes again: nobody shall be told that it is one too many
                    self._lookups = (self._lookups[0], max(0, self._lookups[1] - 1))
                raise
            self._remember(key, caller, now)
        if caller is None:
            raise ApiError(Code.unknown_consumer, "the consumer key is not known here")
        return caller

    def _remember(self, key: str, caller: Caller | None, now: float) -> None:
        self._known[key] = (now + self.settings.consumer_cache_s, caller)
        self._known.move_to_end(key)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _count_lookup(self, now: float) -> None:
        second, count = self._lookups
        count = count + 1 if second == int(now) else 1
        self._lookups = (int(now), count)
        if count > self.settings.max_consumer_lookups:
            raise ApiError(Code.rate_limited, "Too many requests", retry_after_s=1)

    async def _load_once(self, key: str) -> Caller | None:
        """One look-up at a time for one key, however many calls wait for it."""
        loading = self._loading.get(key)
        if loading is None:
            loading = self._loading[key] = asyncio.create_task(self._load(key))
            loading.add_done_callback(lambda _: self._loading.pop(key, None))
        return await asyncio.shield(loading)

    async def _load(self, key: str) -> Caller | None:
        async with self.db.connection() as queries:
            row = await queries.fetchrow("find_consumer", key)
            if row is None:
                return None
            secrets = await queries.fetch("find_secrets", key)
        home = row["organisation_id"]
        return Caller(
            key=key,
            organisation_id=home,
            organisations=frozenset(row["others"]) | ({home} if home is not None else set()),
            domains=frozenset(row["domains"]),
            endpoints=None if row["endpoints"] is None else frozenset(row["endpoints"]),
            rates=msgspec.json.decode(row["rates"], type=dict[str, int]),
            unlimited=row["unlimited"],
            minimum_version=row["minimum_version"],
            active=row["active"],
            secrets=tuple(
                self.key.unwrap(secret["wrapped"], secret_owner(key, secret["id"])).decode() for secret in secrets
            ),
        )

    # -- counting ----------------------------------------------------------------------------------------------------

    def count_call(self, caller: Caller, verb: str, endpoint: str, now: float) -> None:
        """Count one call in its window; raises 42000 when the window is full. `now` is monotonic."""
        if caller.unlimited:
            return
        window = int(now / WINDOW_S)
        if window != self._window:
            self._window = window
            self._calls.clear()
        limit = caller.rates.get(f"{verb} {endpoint}") or published_rate(verb, endpoint)
        counted = (caller.key, verb, endpoint)
        calls = self._calls.get(counted, 0) + 1
        if calls > limit or len(self._calls) >= _WINDOW_ENTRIES:
            wait = WINDOW_S - now % WINDOW_S
            raise ApiError(Code.rate_limited, "Too many requests", retry_after_s=wait)
        self._calls[counted] = calls

    async def enter(self, caller: Caller) -> None:
        """A call begins to be answered, in its consumer's turn; `leave` must follow.

        Raises 42000 beyond the consumer's share of what runs, 503 when the turn does not come.
        """
        key = caller.key
        running = self.in_flight.get(key, 0)
        if running >= self.settings.max_in_flight_per_consumer and not caller.unlimited:
            raise ApiError(Code.rate_limited, "Too many requests", retry_after_s=1)
        if running == 0:
            # Its slow calls never hold every connection: the others have some left.
            self._turns[key] = asyncio.Semaphore(max(1, self.settings.gateway_pool - KEPT_CONNECTIONS))
        self.in_flight[key] = running + 1
        turns = self._turns[key]
        if not turns.locked():
            await turns.acquire()  # does not wait
            return
        try:
            async with asyncio.timeout(self.settings.gateway_acquire_s):
                await turns.acquire()
        except BaseException as error:
            self._forget(key)
            if isinstance(error, TimeoutError):
                raise ApiError(Code.unavailable, "Your earlier calls are still running; try again shortly.") from None
            raise

    def leave(self, caller: Caller) -> None:
        """A call has been answered."""
        self._turns[caller.key].release()
        self._forget(caller.key)

    def _forget(self, key: str) -> None:
        running = self.in_flight[key] - 1
        if running:
            self.in_flight[key] = running
        else:
            del self.in_flight[key], self._turns[key]

    def require_welcome(self, source: str, now: float) -> None:
        """Raise 42000 for a source that failed to prove itself too often within this minute."""
        if int(now / 60) != self._minute:
            self._minute = int(now / 60)
            self._failures.clear()
        if self._failures[source] >= self.settings.max_auth_failures:
            raise ApiError(Code.rate_limited, "Too many requests", retry_after_s=60 - now % 60)

    def count_failure(self, source: str) -> None:
        """A packet from `source` did not prove who sent it."""
        if source in self._failures or len(self._failures) < _REMEMBERED:
            self._failures[source] += 1


class Turn:
    """A call's place among those of its consumer; it can be given up while the call waits, and taken again."""

    def __init__(self, callers: Callers, caller: Caller) -> None:
        self._callers = callers
        self._caller = caller
        self._is_taken = False

    async def take(self) -> None:
        """Raises like `enter`."""
        await self._callers.enter(self._caller)
        self._is_taken = True

    def give_up(self) -> None:
        """Leave, unless that has been done."""
        if self._is_taken:
            self._is_taken = False
            self._callers.leave(self._caller)


# -- administration --------------------------------------------------------------------------------------------------


def secret_owner(consumer_key: str, secret_id: uuid.UUID) -> str:
    """What a wrapped secret is bound to: it opens for this consumer and this row only."""
    return f"{consumer_key} {secret_id}"


class NewConsumer(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer to be; `organisations[0]` is its home."""

    key: str
    name: str = ""
    organisations: tuple[int, ...]
    domains: tuple[str, ...] = ("localhost",)
    endpoints: tuple[str, ...] | None = None
    rates: dict[str, int] = {}
    unlimited: bool = False
    minimum_version: str | None = None


async def add_consumer(tx: Transaction, key: OuterKey, consumer: NewConsumer, secret: str) -> uuid.UUID:
    """Store a consumer with its first secret, and its organisations where they are new; the secret's id."""
    for organisation_id in consumer.organisations:
        await tx.execute("insert_organisation", organisation_id, "")
    await tx.fetchval("sync_organisation_ids")
    await tx.execute(
        "insert_consumer",
        consumer.key,
        consumer.name,
        consumer.organisations[0] if consumer.organisations else None,
        consumer.domains,
        consumer.endpoints,
        msgspec.json.encode(consumer.rates),
        consumer.unlimited,
        consumer.minimum_version,
    )
    for organisation_id in consumer.organisations[1:]:
        await tx.execute("insert_consumer_organisation", consumer.key, organisation_id)
    return await add_secret(tx, key, consumer.key, secret)


async def add_secret(tx: Transaction, key: OuterKey, consumer_key: str, secret: str) -> uuid.UUID:
    """Store one more live secret, wrapped; its id."""
    secret_id = uuid.uuid4()
    await tx.execute(
        "insert_secret", secret_id, consumer_key, key.wrap(secret.encode(), secret_owner(consumer_key, secret_id))
    )
    return secret_id
