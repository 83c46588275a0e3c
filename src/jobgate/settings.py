"""Settings: one value, read from the environment here and nowhere else, judged whole before anything starts.

`JOBGATE_LEASE_S=10` sets `lease_s`. All problems are reported together; an unknown `JOBGATE_` name is one of them.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

PREFIX = "JOBGATE_"

Seconds = Annotated[float, Meta(gt=0)]
Count = Annotated[int, Meta(ge=1)]


class SettingsError(Exception):
    """The environment does not make a usable configuration; the text names every problem, one a line."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that an operator can choose."""

    # -- servers -------------------------------------------------------------------------------------------------

    # Postgres 15 or newer, as a URL. Unset: `jobgate dev` starts its own.
    database_url: str = ""
    # Where migrations run; a role that may create tables. Default: the database URL.
    migrate_url: str = ""
    # Redis 7 or Valkey, as a URL. Unset: workers poll (`jobgate dev` starts its own).
    redis_url: str = ""
    # Base64 of 32 random bytes; wraps the stored secrets and signs upload URLs. `jobgate dev` makes one.
    secret_key: str = ""
    # Where clients reach this gateway; upload URLs, and endpoints that come with tokens of cmi5, begin with it.
    public_url: str = "http://127.0.0.1:8080"
    # Prepared statements kept per connection; 0 behind a pooler in transaction mode.
    statement_cache_size: Annotated[int, Meta(ge=0)] = 256
    # Connections of a gateway process, and of a worker process.
    gateway_pool: Count = 8
    worker_pool: Count = 12

    # -- the signed surface --------------------------------------------------------------------------------------

    # How far a packet's timestamp may be from now, in seconds; an official SDK sends the minutes wrongly.
    clock_skew_s: Annotated[int, Meta(ge=3600)] = 3 * 3600
    # Accept the older plain SHA-256 signatures.
    accept_v1: bool = False
    # `retry`: equal bytes with another write in between are a new job. `refuse`: they are 409 / 20011.
    replay: Literal["retry", "refuse"] = "retry"
    # False: every `jobs` endpoint answers 403 / 41008.
    jobs_api: bool = True
    # Addresses or networks (comma-separated; `unix` for socket peers) whose X-Forwarded-For is believed.
    trusted_proxies: str = ""

    # -- a user's own code ---------------------------------------------------------------------------------------

    # Folders that load beside the shipped actions and tasks.
    actions_dir: str = ""
    tasks_dir: str = ""

    # -- limits --------------------------------------------------------------------------------------------------

    # Bytes of a request body, of an uploaded dataset file, and of an answer.
    max_body: Count = 4 * 1024 * 1024
    max_upload: Count = 256 * 1024 * 1024
    max_answer: Count = 10 * 1024 * 1024
    # Bytes of the request line, bytes of all headers, number of headers.
    max_request_line: Count = 8 * 1024
    max_header_bytes: Count = 16 * 1024
    max_headers: Count = 64
    # Seconds: headers from their first byte on, an idle connection, a whole body.
    header_timeout_s: Seconds = 5
    idle_timeout_s: Seconds = 15
    body_timeout_s: Seconds = 20
    # Bytes a second that a body must bring after its first five seconds.
    min_body_rate: Count = 4096
    # Connections of one process, and of one source address in it.
    max_connections: Count = 1000
    max_connections_per_source: Count = 100
    # Requests being answered at once by one process, and for one consumer in it.
    max_in_flight: Count = 200
    max_in_flight_per_consumer: Count = 50
    # Queued jobs of one consumer, and of all; beyond them new jobs are refused with 429 and 503.
    max_queued_per_consumer: Count = 10_000
    max_queued: Count = 1_000_000
    # Refused signatures per source address and minute before it is answered 429 unread.
    max_auth_failures: Count = 600
    # Consumers looked up in the database per second and process because no cache knew them.
    max_consumer_lookups: Count = 50

    # -- waiting -------------------------------------------------------------------------------------------------

    # Seconds: to get a connection, and for a statement, in the gateway and in a worker.
    gateway_acquire_s: Seconds = 1
    gateway_statement_s: Seconds = 2
    worker_acquire_s: Seconds = 3
    worker_statement_s: Seconds = 30
    # Seconds that a worker's statement waits for a lock.
    worker_lock_s: Seconds = 5
    # Seconds that a known consumer is remembered; a revoked secret works no longer than this.
    consumer_cache_s: Seconds = 5
    # Seconds between "not ready" and the closing of the listener; then for requests in flight.
    stop_delay_s: Annotated[float, Meta(ge=0)] = 5
    stop_grace_s: Seconds = 20

    # -- the job engine ------------------------------------------------------------------------------------------

    # Seconds that a claimed job belongs to its worker without a sign of life.
    lease_s: Seconds = 30
    # Seconds between looks at Postgres: while the doorbell works, and while it does not.
    poll_s: Seconds = 5
    poll_unhealthy_s: Seconds = 1
    # Seconds between sweeps (lost leases, due retries).
    sweep_s: Seconds = 1
    # Jobs taken at one look, and entries that one set transaction may carry.
    claim_jobs: Count = 1000
    claim_entries: Count = 10_000
    # Set groups and long jobs that one worker process runs at once; of several long ones, one calls nobody.
    set_slots: Count = 2
    long_slots: Count = 4
    # A job that fails or loses its worker this often is halted.
    max_failures: Count = 8
    max_losses: Count = 3
    # Seconds before the first retry, and at most before any.
    retry_base_s: Seconds = 5
    retry_max_s: Seconds = 3600
    # Seconds that a stopping worker gives its running jobs before it hands them back.
    drain_s: Annotated[float, Meta(ge=0)] = 25
    # Seconds between a cancelled attempt and giving up on the process that ignores it.
    abandon_s: Seconds = 10
    # Seconds that a finished job stays in the queue's table before it is archived.
    archive_after_s: Seconds = 24 * 3600
    # Whole months that archived jobs and what they logged are kept; 0: for ever.
    archive_kept_months: Annotated[int, Meta(ge=0, le=1200)] = 0
    # Mebibytes that a worker process may hold; beyond them it drains and asks to be replaced.
    worker_memory_mib: Count = 2048

    # -- definitions ---------------------------------------------------------------------------------------------

    # Days that executions of definitions are kept after they completed, and after they were halted.
    completed_executions_kept_days: Count = 90
    halted_executions_kept_days: Count = 365
    # Days that past ticks of a definition, and of a scheduled job of beacons, are kept.
    ticks_kept_days: Count = 30

    # -- beacons -------------------------------------------------------------------------------------------------

    # Seconds that a job belongs to the beacon that picked it up, without a sign of life.
    beacon_lease_s: Seconds = 60
    # Days that jobs of beacons are kept after they completed, and after they were halted.
    completed_beacon_jobs_kept_days: Count = 90
    halted_beacon_jobs_kept_days: Count = 365

    # -- push ----------------------------------------------------------------------------------------------------

    # Addresses that users name, push targets and LRSs alike, may be plain HTTP.
    push_http: bool = False
    # Networks and host names (comma-separated) that may be called although they are not public, on any port.
    push_allow: str = ""
    # Seconds that one try may take, from the look-up of the name to the end of the answer.
    push_timeout_s: Seconds = 15
    # Seconds between looks for deliveries that are due.
    push_poll_s: Seconds = 1
    # Tries under way at once in one worker process; a target never has more than four.
    push_slots: Count = 100
    # Deliveries that may wait for one target; beyond them it is disabled.
    push_backlog: Count = 100_000
    # Days that deliveries are kept.
    push_kept_days: Count = 30

    # -- xAPI ----------------------------------------------------------------------------------------------------

    # A folder of configurations (NAME.json) for jobs of the type seeding, besides those that are shipped.
    seedings_dir: str = ""
    # The folder of ADL's conformance test suite, installed: jobs of the type testsuite run it instead of our checks.
    xapi_suite_dir: str = ""
    # The folder that file connections read and write in, each organisation in one of its own. Unset: there are none.
    files_root: str = ""

    # -- telling -------------------------------------------------------------------------------------------------

    # debug, info, warning or error.
    log_level: Literal["debug", "info", "warning", "error"] = "info"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Read `JOBGATE_*` from `environ`; raises `SettingsError` naming every problem at once."""
    fields = {PREFIX + field.name.upper(): field for field in msgspec.structs.fields(Settings)}
    values: dict[str, object] = {}
    problems: list[str] = []
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX) or name in CLIENT_NAMES:
            continue
        field = fields.get(name)
        if field is None:
            close = difflib.get_close_matches(name, [*fields, *CLIENT_NAMES], n=1)
            problems.append(f"{name} is not a setting" + (f"; did you mean {close[0]}?" if close else ""))
            continue
        try:
            values[field.name] = msgspec.convert(text, field.type, strict=False)
        except msgspec.ValidationError as error:
            problems.append(f"{name}={'…' if 'KEY' in name or 'URL' in name else text}: {error}")
    if problems:
        raise SettingsError("\n".join(problems))
    return Settings(**values)  # type: ignore[arg-type]  # each value was converted to its field's type


CLIENT_NAMES = frozenset({"JOBGATE_URL", "JOBGATE_KEY", "JOBGATE_SECRET", "JOBGATE_DOMAIN"})
"""Read by `jobgate call` only: where to call and as whom."""
