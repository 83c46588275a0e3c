"""`jobgate dev`: everything on one machine, with nothing installed beforehand."""

from __future__ import annotations

import asyncio
import errno
import os
import shlex
import shutil
import signal
import socket
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jobgate.cli.failures import Unusable
from jobgate.cli.surroundings import DEFAULT_DATA, Dev, dev_file, write_private

if TYPE_CHECKING:
    from jobgate.cli.members import Member
    from jobgate.settings import Settings

READY_S = 30.0
STOP_S = 60.0
LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for."""

    host: str
    port: int
    data: Path
    workers: int
    demo: bool
    verbose: bool

    @property
    def url(self) -> str:
        """Where the gateway is reached from this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
@click.option(
    "--data",
    default=DEFAULT_DATA,
    show_default=True,
    type=click.Path(path_type=Path),
    help="Folder for all that is kept.",
)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(0, 64), help="Worker processes.")
@click.option("--no-demo", is_flag=True, help="No demo consumer and no demo sessions.")
@click.option("--verbose", is_flag=True, help="Logs to the terminal instead of files in the data folder.")
def dev(host: str, port: int, data: Path, workers: int, no_demo: bool, verbose: bool) -> None:
    """Run Postgres, Valkey, a gateway and a worker, with demo data, until Ctrl-C.

    JOBGATE_DATABASE_URL and JOBGATE_REDIS_URL, where set, are used instead of the servers that jobgate brings; a
    database of yours gets no demo.
    """
    from jobgate.embedded import start_servers
    from jobgate.settings import read_settings

    settings = read_settings(os.environ)
    plan = Plan(host, port, data, workers, not no_demo and not settings.database_url, verbose)
    require_free(host, port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until the loop takes over: clean up while starting, too
    with ExitStack() as stack:
        database_url, redis_url = settings.database_url, settings.redis_url
        if not database_url:
            servers = stack.enter_context(start_servers(data, redis=not redis_url))
            database_url, redis_url = servers.database_url, redis_url or servers.redis_url
        data.mkdir(parents=True, exist_ok=True)
        here = Dev(
            pid=os.getpid(),
            url=plan.url,
            database_url=database_url,
            redis_url=redis_url,
            secret_key=settings.secret_key or keep_secret_key(data),
        )
        stack.callback(dev_file(data).unlink, missing_ok=True)
        asyncio.run(live(plan, here, settings))
    click.echo("stopped")


def require_free(host: str, port: int) -> None:
    """Refuse an address that somebody listens on, before anything starts."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        advice = "choose another --host"
        if error.errno == errno.EADDRINUSE:
            advice = "stop what listens there, or choose another --port (with make: PORT=9000)"
        raise Unusable(f"{host}:{port} cannot be listened on ({reason}): {advice}") from error


def keep_secret_key(data: Path) -> str:
    """The key of this folder, made at its first use."""
    from jobgate.keys import OuterKey

    file = data / "secret.key"
    if not file.exists():
        write_private(file, OuterKey.make().encode() + b"\n")
    return file.read_text().strip()


async def live(plan: Plan, here: Dev, settings: Settings) -> None:
    """Prepare the database, start the processes, and keep them running until a signal; stop them in order."""
    from jobgate.cli.members import Member, stop_members

    stop, hurry = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, lambda: hurry.set() if stop.is_set() else stop.set())
    here = await prepare(plan, here, settings)
    (plan.data / "files").mkdir(exist_ok=True)
    env = environment(plan, here)
    program = [sys.executable, "-P", "-m", "jobgate"]
    serve = [*program, "serve", "--host", plan.host, "--port", str(plan.port), *(["--demo"] if plan.demo else [])]
    gateway = Member("gateway", serve, env, log_file(plan, "gateway"), say)
    names = [f"worker {number}" if plan.workers > 1 else "worker" for number in range(1, plan.workers + 1)]
    workers = [Member(name, [*program, "work"], env, log_file(plan, name.replace(" ", "-")), say) for name in names]
    try:
        for member in (gateway, *workers):
            member.start()
        await await_ready(plan, gateway, stop)
        if not stop.is_set():
            write_private(dev_file(plan.data), encode(here))
            announce(plan, here)
        while not stop.is_set():
            for member in (gateway, *workers):
                member.tend(time.monotonic())
            await wait(stop, LOOK_S)
    finally:
        say("stopping; once more to hurry")
        await stop_members(workers, hurry, STOP_S)
        await stop_members([gateway], hurry, STOP_S)


async def prepare(plan: Plan, here: Dev, settings: Settings) -> Dev:
    """Migrate, and furnish the house with the demo."""
    import msgspec

    from jobgate import demo, migrations
    from jobgate.cli.checks import reaching
    from jobgate.cli.surroundings import open_database
    from jobgate.keys import OuterKey

    url = settings.migrate_url if settings.database_url and settings.migrate_url else here.database_url
    with reaching("JOBGATE_DATABASE_URL"):
        applied = await migrations.migrate(url)
    if applied:
        say(f"the schema is new: {applied[0]} to {applied[-1]}" if len(applied) > 1 else f"applied {applied[0]}")
    if settings.database_url:
        return here  # not ours to furnish

    async with open_database(msgspec.structs.replace(settings, database_url=here.database_url)) as db:
        if not plan.demo:
            await demo.lock_out(db)
            return here
        count = await demo.furnish(db, OuterKey(here.secret_key), datetime.now(UTC).date())
    if count:
        say(f"loaded {count} demo sessions")
    return msgspec.structs.replace(here, key=demo.DEMO.key, secret=demo.DEMO.secret)


def environment(plan: Plan, here: Dev) -> Mapping[str, str]:
    """What the processes get to know."""
    chosen = {
        "JOBGATE_DATABASE_URL": here.database_url,
        "JOBGATE_REDIS_URL": here.redis_url,
        "JOBGATE_SECRET_KEY": here.secret_key,
    }
    defaults = {
        "JOBGATE_PUBLIC_URL": plan.url,
        "JOBGATE_STOP_DELAY_S": "0",  # nobody routes to us: stop at once
        "JOBGATE_PUSH_HTTP": "true",  # listeners of a developer are on this machine
        "JOBGATE_PUSH_ALLOW": "127.0.0.1,::1,localhost",
        "JOBGATE_FILES_ROOT": str((plan.data / "files").resolve()),
    }
    return defaults | dict(os.environ) | chosen


def log_file(plan: Plan, name: str) -> Path | None:
    """Where a process logs; None: where we do."""
    return None if plan.verbose else plan.data / f"{name}.log"


async def await_ready(plan: Plan, gateway: Member, stop: asyncio.Event) -> None:
    """Wait until the gateway accepts jobs; raises `Unusable` when it ends instead, or takes too long."""
    give_up_at = time.monotonic() + READY_S
    while not stop.is_set() and not await asyncio.to_thread(is_ready, plan.url):
        if not gateway.runs:
            raise Unusable(f"the gateway {gateway.explain_end()}")
        if time.monotonic() > give_up_at:
            raise Unusable(f"the gateway is not ready after {READY_S:.0f} s; its log: {gateway.log or 'above'}")
        await wait(stop, LOOK_S)


def is_ready(url: str) -> bool:
    """Ask the gateway."""
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection(url.removeprefix("http://"), timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


async def wait(event: asyncio.Event, at_most_s: float) -> None:
    """Wait for the event, for a while."""
    try:
        async with asyncio.timeout(at_most_s):
            await event.wait()
    except TimeoutError:
        pass  # the caller looks around and comes back


# -- telling ---------------------------------------------------------------------------------------------------------


def say(line: str) -> None:
    """One line for the terminal."""
    click.echo(line)


def encode(here: Dev) -> bytes:
    """What other commands read."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(here), indent=2) + b"\n"


def announce(plan: Plan, here: Dev) -> None:
    """Say where everything is, with two calls to paste."""
    say(f"jobgate answers at {here.url}; data and logs are in {plan.data}; Ctrl-C stops everything")
    command = name_command()
    folder = [] if str(plan.data) == DEFAULT_DATA else ["--data", str(plan.data)]
    if not here.key:
        say(f"add a consumer: {shlex.join([*command, 'consumers', 'add', '--organisation', '1', *folder])}")
        return
    from jobgate import demo
    from jobgate.settings import Settings

    now = datetime.now(UTC)
    until = now + timedelta(seconds=Settings().clock_skew_s)
    say(f"\nSigned by the demo consumer, good until {until:%H:%M} UTC:\n\n  {sign_curl(here, now)}")
    request = encode_compact({"statuses": [demo.STATUS_CHANGE]})
    call = [*command, "call", "jobs/sessions/statuses", "update", request, "--wait", *folder]
    say(f"\nA job, from the call to its end:\n\n  {shlex.join(call)}\n")


def sign_curl(here: Dev, now: datetime) -> str:
    """A call that curl can post: the newest jobs."""
    from urllib.parse import parse_qsl

    from jobgate.client import Credentials, sign_form

    request = {"status": ["queued", "running", "halted", "completed"]}
    form = parse_qsl(sign_form(Credentials(here.key, here.secret), request, "get", now=now).decode())
    fields = [word for name, value in form for word in ("--data-urlencode", f"{name}={value}")]
    return shlex.join(["curl", "-s", f"{here.url}/latest-lts/jobs", *fields])


def encode_compact(value: object) -> str:
    """JSON without blanks."""
    import msgspec

    return msgspec.json.encode(value).decode()


def name_command() -> list[str]:
    """How this program was started, as somebody would type it."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return [sys.executable, "-m", "jobgate"]
    found = shutil.which(called.name)
    return [called.name if found and Path(found).resolve() == called.resolve() else str(called)]
