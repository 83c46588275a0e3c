"""Folders of file connections: below the operator's root, each organisation's in one of its own, reached without links.

ROOT/<organisation>/<folder>/<prefix_><service>_<store>.jsonl
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

from jobgate.remotes.endings import Broken, Refused
from jobgate.remotes.records import Service

MAX_DEPTH = 8

_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_FOLDER_MODE = 0o750


def is_name(text: str) -> bool:
    """Whether a text may be the name of a folder, or a prefix."""
    return _NAME.fullmatch(text) is not None and text not in (".", "..")


def is_folder(text: str) -> bool:
    """Whether a text may be a folder: names with slashes between them."""
    names = text.split("/")
    return len(names) <= MAX_DEPTH and all(map(is_name, names))


def name_file(prefix: str, service: Service, store: str) -> str:
    """The file of a service of a store."""
    return f"{prefix}_" * bool(prefix) + f"{service.replace('-', '_')}_{store}.jsonl"


def open_folder(root: str, organisation_id: int, folder: str, *, makes: bool = False) -> int:
    """A descriptor of the folder, which is made where it is missing if `makes`; raises `Refused` or `Broken`."""
    if not root or not is_folder(folder):
        raise Refused("there is no such folder")
    with explaining("the folder"):
        fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        for name in (str(organisation_id), *folder.split("/")):
            try:
                inner = _enter(fd, name, makes=makes)
            finally:
                os.close(fd)
            fd = inner
    return fd


def _enter(fd: int, name: str, *, makes: bool) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(name, flags, dir_fd=fd)
    except FileNotFoundError:
        if not makes:
            raise
    try:
        os.mkdir(name, _FOLDER_MODE, dir_fd=fd)
    except FileExistsError:
        pass  # another job was faster
    os.fsync(fd)
    return os.open(name, flags, dir_fd=fd)


_FOR_GOOD = {
    errno.ENOENT: "is not there",
    errno.ENOTDIR: "is none, or behind a link",
    errno.ELOOP: "is a link",
    errno.EACCES: "may not be opened",
    errno.EPERM: "may not be opened",
    errno.EISDIR: "is a folder",
    errno.EROFS: "cannot be written",
}


@contextmanager
def explaining(what: str) -> Iterator[None]:
    """Turn the system's refusals into words that name no path: `Refused` where somebody has to act, else `Broken`."""
    try:
        yield
    except OSError as error:
        if error.errno in _FOR_GOOD:
            raise Refused(f"{what} {_FOR_GOOD[error.errno]}") from None
        raise Broken(f"{what} cannot be used: {os.strerror(error.errno or 0)}") from None
