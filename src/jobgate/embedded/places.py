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
"""As root: clusters whose `DATA` is closed to their account, and readable copies of the servers' programs."""

SOCKETS = Path("/tmp")
"""The one short folder that every account can enter: both servers refuse socket paths above 107 bytes."""

LAST_SERVERS_S = 15.0
"""How long a start waits for the servers of a killed owner to finish."""


class EmbeddedError(Exception):
    """The embedded servers cannot run here: one line that says why and what to do."""


@dataclass(frozen=True)
class Account:
    """The account that servers run as when we are root."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Place:
    """A claimed data folder: no server of an earlier start is alive.

    `home` holds the servers' files: `data` itself, or a folder in `STATE`. Every server keeps `lock` open, so that a
    killed owner's claim lasts exactly as long as its servers.
    """

    data: Path
    home: Path
    sockets: Path
    account: Account | None
    lock: int

    def make_private(self, name: str) -> Path:
        """A folder in `home` that one server has for itself."""
        folder = self.home / name
        folder.mkdir(mode=0o700, exist_ok=True)
        give(folder, self.account)
        return folder


def choose_account() -> Account | None:
    """`nobody` when we are root, which Postgres refuses to be; else None, our own. Raises `EmbeddedError`."""
    uid = os.geteuid()
    try:
        entry = pwd.getpwnam("nobody") if uid == 0 else pwd.getpwuid(uid)
    except KeyError:
        lacking = "there is no account `nobody` for Postgres" if uid == 0 else f"user id {uid} has no name"
        raise EmbeddedError(f"{lacking}, so no database can be created: set JOBGATE_DATABASE_URL") from None
    return Account(entry.pw_uid, entry.pw_gid) if uid == 0 else None


@contextmanager
def claim(data: Path, account: Account | None) -> Iterator[Place]:
    """Lock `data` before touching anything else; raises `EmbeddedError` when in use, `OSError` when out of reach."""
    data = data.resolve()
    if not data.is_dir():
        data.mkdir(parents=True, exist_ok=True)
        data.chmod(0o711 if account else 0o700)
    with hold(data / "lock", data, 0):
        home = choose_home(data, account)
        with hold(home / "servers.lock", data, LAST_SERVERS_S) as lock:
            sockets = renew_sockets(data, account)
            try:
                yield Place(data, home, sockets, account, lock)
            finally:
                shutil.rmtree(sockets, ignore_errors=True)


@contextmanager
def hold(file: Path, data: Path, patience_s: float) -> Iterator[int]:
    """Hold `file` exclusively and write our process id into it."""
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    give_up_at = time.monotonic() + patience_s
    try:
        while True:
            with suppress(BlockingIOError):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            if time.monotonic() >= give_up_at:
                owner = os.pread(descriptor, 20, 0).decode().strip()
                raise EmbeddedError(f"{data} is in use by process {owner}: stop it, or choose another data folder")
            time.sleep(0.02)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def choose_home(data: Path, account: Account | None) -> Path:
    """`data` when the account can enter it, else a folder in `STATE` whose path the file `place` remembers."""
    if account is None:
        return data
    pointer = data / "place"
    if pointer.exists():
        home = Path(pointer.read_text().strip())
        if home.parent == STATE and home.is_dir():
            require_ours(STATE)
            require_ours(home)
            return home
        pointer.unlink()  # the cluster was removed
    closed = find_closed(data, account)
    if closed is None:
        return data
    if (data / "postgres").exists():
        raise EmbeddedError(f"{closed} was closed to the account nobody: chmod o+x, or choose another data folder")
    make_ours(STATE, 0o755)
    names = itertools.chain([hash_path(data)], (f"{hash_path(data)}-{number}" for number in itertools.count(2)))
    home = next(STATE / name for name in names if not (STATE / name).exists())  # the others' `data` moved away
    make_ours(home, 0o711)
    with pointer.open("x") as file:
        file.write(f"{home}\n")
    return home


def renew_sockets(data: Path, account: Account | None) -> Path:
    """An empty private folder for the sockets; the same for the same `data`, without what a killed owner left."""
    folder = SOCKETS / f"jobgate-{account.uid if account else os.geteuid()}-{hash_path(data)}"
    with suppress(FileNotFoundError):
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (os.geteuid(), account.uid if account else -1):
            raise EmbeddedError(f"{folder} is not ours: remove it, or choose another data folder")
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700)
    give(folder, account)
    return folder


def give(folder: Path, account: Account | None) -> None:
    """Make the account the owner, of the name itself and not of what a link leads to."""
    if account:
        os.chown(folder, account.uid, account.gid, follow_symlinks=False)


def make_ours(folder: Path, mode: int) -> None:
    """Make `folder` unless it exists, with this mode whatever the umask; it is ours alone to change."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        folder.chmod(mode)
    require_ours(folder)


def require_ours(folder: Path) -> None:
    """Refuse what others could have changed."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise EmbeddedError(f"{folder} can be changed by others: remove it, or choose another data folder")


def find_closed(path: Path, account: Account) -> Path | None:
    """The first folder on the way into `path` that keeps the account out."""
    for folder in [*reversed(path.parents), path]:
        if not is_allowed(folder.stat(), account, 0o1):
            return folder
    return None


def is_allowed(status: os.stat_result, account: Account, bits: int) -> bool:
    """Whether the mode grants the account `bits`: 4 read, 2 write, 1 search or execute."""
    shift = 6 if status.st_uid == account.uid else 3 if status.st_gid == account.gid else 0
    return (status.st_mode >> shift) & bits == bits


def hash_path(path: Path) -> str:
    """A short name for a long path."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
