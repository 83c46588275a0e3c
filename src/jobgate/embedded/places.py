"""Where the embedded servers keep things, who owns them, and how two starts are kept apart."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
import pwd
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

STATE = Path("/var/lib/jobgate-dev")
"""As root: clusters whose `DATA` is closed to their account, and readable copies of server programs."""

SOCKETS = Path("/tmp")  # noqa: S108  # the one short folder that every account may use; ours inside is private
DYING_SERVERS_S = 15.0
"""How long a start waits for the servers of a killed owner to finish; they hold its lock until then."""


class EmbeddedError(Exception):
    """The embedded servers cannot run here: one line that says why and what to do."""


@dataclass(frozen=True)
class Account:
    """The account that servers run as when we are root."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Place:
    """A claimed data folder; no server of an earlier start is alive.

    `home` holds the servers' files: `data` itself, or a folder in `STATE`. `locks` are descriptors that every server
    keeps open, so that the claim outlives a killed owner exactly as long as its servers do.
    """

    data: Path
    home: Path
    sockets: Path
    account: Account | None
    locks: tuple[int, ...]

    def make_private(self, name: str) -> Path:
        """A folder in `home` for one server alone."""
        folder = self.home / name
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.account:
            os.chown(folder, self.account.uid, self.account.gid)
        return folder


def choose_account() -> Account | None:
    """`nobody` when we are root, which Postgres refuses to be; None: our own."""
    uid = os.geteuid()
    if uid == 0:
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError:
            raise EmbeddedError(
                "root needs the account `nobody` to run Postgres: create it, or set JOBGATE_DATABASE_URL"
            ) from None
        return Account(nobody.pw_uid, nobody.pw_gid)
    try:
        pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedError(
            f"user id {uid} has no name, so Postgres cannot create a database: set JOBGATE_DATABASE_URL"
        ) from None
    return None


@contextmanager
def claim(data: Path, account: Account | None) -> Iterator[Place]:
    """Lock `data` and everything that belongs to it; raises `EmbeddedError` when it is in use or unusable."""
    data = data.resolve()
    try:
        if not data.is_dir():
            data.mkdir(parents=True)
            data.chmod(0o711 if account else 0o700)
        with lock(data / "lock", data) as first:
            home = choose_home(data, account)
            if home == data:
                yield Place(data, home, renew_sockets(data, account), account, (first,))
                return
            with lock(home / "lock", data) as second:
                yield Place(data, home, renew_sockets(data, account), account, (first, second))
    except PermissionError as error:
        raise EmbeddedError(
            f"{error.filename}: {error.strerror}; run as its owner, or choose another data folder"
        ) from error


def choose_home(data: Path, account: Account | None) -> Path:
    """`data` when the account can reach it, else its folder in `STATE`, remembered in the file `place`."""
    if account is None:
        return data
    pointer = data / "place"
    closed = find_closed(data, account)
    if closed is None and not pointer.exists():
        return data
    own_folder(STATE, 0o755)
    if pointer.exists():
        home = Path(pointer.read_text().strip())
        if home.parent == STATE and home.is_dir():
            own_folder(home, 0o711)
            return home
    if (data / "postgres").exists():
        raise EmbeddedError(
            f"{closed} became closed to the account nobody: open it (chmod o+x), or choose another data folder"
        )
    name = hash_path(data)
    for number in itertools.count(1):
        home = STATE / (name if number == 1 else f"{name}-{number}")  # a namesake belongs to a folder moved away
        with suppress(FileExistsError):
            home.mkdir(mode=0o711)
            break
    own_folder(home, 0o711)
    pointer.write_text(f"{home}\n")
    return home


def own_folder(folder: Path, mode: int) -> None:
    """Make `folder`, or make sure that it is ours alone to change."""
    if not folder.exists():
        folder.mkdir(exist_ok=True)
        folder.chmod(mode)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise EmbeddedError(f"{folder} can be changed by others: remove it")


def find_closed(path: Path, account: Account) -> Path | None:
    """The first folder on the way into `path` that keeps the account out."""
    for folder in [*reversed(path.parents), path]:
        if not is_allowed(folder.stat(), account, 0o1):
            return folder
    return None


def is_allowed(status: os.stat_result, account: Account, bits: int) -> bool:
    """Whether the mode grants the account `bits` (4 read, 2 write, 1 search or execute)."""
    shift = 6 if status.st_uid == account.uid else 3 if status.st_gid == account.gid else 0
    return (status.st_mode >> shift) & bits == bits


def hash_path(path: Path) -> str:
    """A short name for a long path."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]


@contextmanager
def lock(file: Path, data: Path) -> Iterator[int]:
    """Hold `file` exclusively; it names our process. Waits only for the servers of an owner that is gone."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        give_up_at = time.monotonic() + DYING_SERVERS_S
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            owner = os.pread(descriptor, 20, 0).decode().strip()
            if not owner or is_alive(int(owner)) or time.monotonic() > give_up_at:
                raise EmbeddedError(
                    f"{data} is in use by process {owner or '?'}: stop it, or choose another data folder"
                )
            time.sleep(0.02)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def is_alive(pid: int) -> bool:
    """Whether a process with this id exists."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def renew_sockets(data: Path, account: Account | None) -> Path:
    """An empty private folder with a short name for the sockets; both servers refuse paths above 107 bytes."""
    uid, gid = (account.uid, account.gid) if account else (os.geteuid(), os.getegid())
    folder = SOCKETS / f"jobgate-{uid}-{hash_path(data)}"
    if folder.is_symlink() or (folder.exists() and folder.stat().st_uid not in (uid, os.geteuid())):
        raise EmbeddedError(f"{folder} belongs to someone else: remove it, or choose another data folder")
    if folder.exists():
        shutil.rmtree(folder)  # left by a killed owner: we hold the lock
    folder.mkdir(mode=0o700)
    os.chown(folder, uid, gid)
    return folder
