"""Decorators mark, the loader collects, the tables are frozen.

An action is a marked function in the actions tree; its file's place is its endpoint (`jobs/sessions/statuses.py`
answers `jobs/sessions/statuses`, `index.py` answers for its folder, `_` becomes `-`). A file may also declare `Family`:
actions that it has in common with others. A task is a marked function in a tasks folder. Both trees are read once, at
startup; a duplicate or a malformed function stops the start.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import inspect
import sys
import typing
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, Literal, TypeVar, get_args

from jobgate.context import Batch, Context, Reply, Request, Run

Verb = Literal["get", "set", "update", "delete"]
VERBS: tuple[str, ...] = get_args(Verb)

RESERVED_TYPES = frozenset({"sessions", "reports", "definitions", "executions"})
"""Words that `jobs/{type}` would collide with."""

F = TypeVar("F", bound=Callable[..., Awaitable[Any]])


class RegistryError(Exception):
    """A file of an actions or tasks folder cannot be used; the text has its path and the reason."""


@dataclass(frozen=True, slots=True)
class _ActionMark:
    verb: str
    guarded: bool


@dataclass(frozen=True, slots=True)
class _TaskMark:
    type: str
    timeout_s: float
    calls_out: bool


def action(verb: Verb, *, guarded: bool = False) -> Callable[[F], F]:
    """Mark `async def handler(ctx: Context, request: SomeRequest) -> Answer` as what answers `verb` on its endpoint.

    `guarded`: it submits a job or creates a row, so an equal packet sent again must get the first answer.
    """

    def mark(function: F) -> F:
        function.__jobgate__ = _ActionMark(verb, guarded)  # type: ignore[attr-defined]  # read back by the loader only
        return function

    return mark


def task(type: str, *, timeout_s: float = 900, calls_out: bool = False) -> Callable[[F], F]:
    """Mark `async def carry(batch: Batch[Params])`, or one that takes `run: Run[Params]`, as the code for `type`.

    An attempt that takes longer than `timeout_s` is cancelled and counts as failed. `calls_out`: it waits for servers
    of others; however many of those are slow, there is room left for long tasks that do not.
    """

    def mark(function: F) -> F:
        function.__jobgate__ = _TaskMark(type, timeout_s, calls_out)  # type: ignore[attr-defined]  # read back by the loader only
        return function

    return mark


@dataclass(frozen=True, slots=True)
class Action:
    """One verb on one endpoint."""

    endpoint: str
    verb: str
    guarded: bool
    handle: Callable[[Context, Any], Awaitable[Any]]
    request: type[Request]
    answer: Any
    """The type of `data`."""
    summary: str
    about: str
    """What its file says of the endpoint."""
    file: Path


@dataclass(frozen=True, slots=True)
class Family:
    """Actions that a file declares by one value instead of writing them: several files have them in common."""

    actions: Mapping[str, Sequence[Callable[..., Awaitable[Any]]]]
    """Marked functions, by the path below the file's own; an empty one is the file's own."""


@dataclass(frozen=True, slots=True)
class Task:
    """The code that carries jobs of one type: a set task takes many at once, a long task one."""

    type: str
    kind: Literal["set", "long"]
    carry: Callable[[Any], Awaitable[None]]
    params: Any
    timeout_s: float
    summary: str
    file: Path
    calls_out: bool = False


Actions = Mapping[str, Mapping[str, Action]]
"""Endpoint to verb to action."""

Tasks = Mapping[str, Task]


def shipped_actions() -> Path:
    """The tree that comes with jobgate: inside the package when installed, beside `src` in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "actions"
    return installed if installed.is_dir() else package.parent.parent / "actions"


def load_actions(user_dir: str = "") -> Actions:
    """Read the shipped actions and, beside them, those in `user_dir`. Raises `RegistryError`."""
    table: dict[str, dict[str, Action]] = {}
    for module, file, endpoint in _modules(_trees("actions", shipped_actions(), "user_actions", user_dir)):
        for place, function, mark in _find_actions(module, endpoint):
            found = _read_action(function, mark, module, file, place)
            there = table.setdefault(place, {}).get(found.verb)
            if there is not None:
                raise RegistryError(f"{file}: {found.verb} {place} is already answered by {there.file}")
            table[place][found.verb] = found
    return MappingProxyType({endpoint: MappingProxyType(verbs) for endpoint, verbs in sorted(table.items())})


def load_tasks(user_dir: str = "") -> Tasks:
    """Read the shipped tasks and, beside them, those in `user_dir`. Raises `RegistryError`."""
    table: dict[str, Task] = {}
    shipped = Path(__file__).resolve().parent / "tasks"
    for module, file, _ in _modules(_trees("jobgate.tasks", shipped, "user_tasks", user_dir)):
        for function, mark in _marked(module, _TaskMark):
            found = _read_task(function, mark, file)
            if found.type in table:
                raise RegistryError(
                    f"{file}: jobs of type {found.type} are already carried by {table[found.type].file}"
                )
            table[found.type] = found
    return MappingProxyType(dict(sorted(table.items())))


# -- reading the trees -----------------------------------------------------------------------------------------------


def _trees(name: str, shipped: Path, user_name: str, user_dir: str) -> Iterator[tuple[str, Path]]:
    yield name, shipped
    if user_dir:
        path = Path(user_dir).expanduser().resolve()
        if not path.is_dir():
            raise RegistryError(f"{path}: no such folder")
        yield user_name, path


def _modules(trees: Iterator[tuple[str, Path]]) -> Iterator[tuple[ModuleType, Path, str]]:
    for name, root in trees:
        _bind(name, root)
        for file in sorted(root.rglob("*.py")):
            parts = file.relative_to(root).with_suffix("").parts
            if parts[-1] == "__init__" or any(part.startswith((".", "__")) for part in parts):
                continue
            if not all(part.isidentifier() for part in parts):
                raise RegistryError(f"{file}: a file or folder name must be a Python identifier; write _ for -")
            twin = file.parent.with_suffix(".py")
            if file.parent != root and twin.is_file():
                raise RegistryError(f"{twin}: its folder {twin.stem} has files too; move it there as index.py")
            try:
                module = importlib.import_module(".".join((name, *parts)))
            except Exception as error:
                raise RegistryError(f"{file}: {type(error).__name__}: {error}") from error
            place = parts[:-1] if parts[-1] == "index" else parts
            yield module, file, "/".join(place).replace("_", "-")


def _bind(name: str, root: Path) -> None:
    """Make `name` mean the folder `root`, whatever the search path says: this decides what a signed caller may run."""
    there = sys.modules.get(name)
    if there is not None:
        places = [Path(place).resolve() for place in getattr(there, "__path__", [])]
        if places != [root.resolve()]:
            raise RegistryError(f"{root}: the name {name} is already taken by {', '.join(map(str, places)) or there!s}")
        return
    init = root / "__init__.py"
    if init.is_file():
        spec = importlib.util.spec_from_file_location(name, init, submodule_search_locations=[str(root)])
    else:
        spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [str(root)]
    assert spec is not None  # a .py file and a bare package always have one
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if spec.loader is not None:
        spec.loader.exec_module(module)


M = TypeVar("M")


def _marked(module: ModuleType, kind: type[M]) -> Iterator[tuple[Callable[..., Awaitable[Any]], M]]:
    for function in vars(module).values():
        mark = getattr(function, "__jobgate__", None)
        if isinstance(mark, kind) and function.__module__ == module.__name__:
            yield function, mark


def _find_actions(
    module: ModuleType, endpoint: str
) -> Iterator[tuple[str, Callable[..., Awaitable[Any]], _ActionMark]]:
    """Each action of a file with its endpoint: those that it writes, and those of the families that it declares."""
    for function, mark in _marked(module, _ActionMark):
        yield endpoint, function, mark
    for family in vars(module).values():
        if isinstance(family, Family):
            for below, functions in family.actions.items():
                for function in functions:
                    yield f"{endpoint}/{below}".rstrip("/"), function, function.__jobgate__  # type: ignore[attr-defined]  # marked


def _signature(function: Callable[..., Any], file: Path, count: int) -> tuple[list[Any], Any]:
    """The types of `count` parameters and of the answer."""
    where = f"{file}: {function.__name__}"
    if not inspect.iscoroutinefunction(function):
        raise RegistryError(f"{where} must be async")
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except Exception as error:
        raise RegistryError(f"{where}: {error}") from error
    names = list(inspect.signature(function).parameters)
    if len(names) != count or any(name not in hints for name in names) or "return" not in hints:
        raise RegistryError(f"{where} must take {count} annotated parameter{'s' * (count > 1)} and annotate its answer")
    return [hints[name] for name in names], hints["return"]


def _read_action(
    function: Callable[..., Awaitable[Any]], mark: _ActionMark, module: ModuleType, file: Path, endpoint: str
) -> Action:
    (context, request), answer = _signature(function, file, 2)
    where = f"{file}: {function.__name__}"
    if mark.verb not in VERBS:
        raise RegistryError(f"{where}: an action is one of {', '.join(VERBS)}")
    if context is not Context or not (isinstance(request, type) and issubclass(request, Request)):
        raise RegistryError(f"{where} must take (ctx: Context, request: <a subclass of Request>)")
    if typing.get_origin(answer) is Reply:
        (answer,) = get_args(answer)
    summary, about = _summary(function, where), _first_sentence(module.__doc__ or "")
    return Action(endpoint, mark.verb, mark.guarded, function, request, answer, summary, about, file)


def _read_task(function: Callable[..., Awaitable[Any]], mark: _TaskMark, file: Path) -> Task:
    (given,), _ = _signature(function, file, 1)
    where = f"{file}: {function.__name__}"
    origin = typing.get_origin(given)
    if origin not in (Batch, Run):
        raise RegistryError(f"{where} must take Batch[Params] or Run[Params]")
    if mark.type in RESERVED_TYPES:
        raise RegistryError(f"{where}: the type name {mark.type} is reserved")
    kind: Literal["set", "long"] = "set" if origin is Batch else "long"
    (params,) = get_args(given)
    return Task(mark.type, kind, function, params, mark.timeout_s, _summary(function, where), file, mark.calls_out)


def _summary(function: Callable[..., Any], where: str) -> str:
    text = inspect.getdoc(function)
    if not text:
        raise RegistryError(f"{where} needs a docstring: its first sentence is published")
    return _first_sentence(text)


def _first_sentence(text: str) -> str:
    return text.strip().split("\n\n")[0].replace("\n", " ")
