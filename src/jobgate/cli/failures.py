"""What a command says when it cannot go on: one line for each problem, what to do about it, and exit code 2."""

from __future__ import annotations

import errno
from typing import Any

import click

UNUSABLE = 2


class Unusable(click.ClickException):
    """The command cannot run like this; the text says what is wrong and what to do."""

    exit_code = UNUSABLE

    def show(self, file: Any = None) -> None:
        """One line for each problem."""
        for line in self.message.splitlines():
            click.echo(f"Error: {line}", file=file, err=file is None)


class Commands(click.Group):
    """A group of commands whose foreseeable failures become lines, not tracebacks."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            explained = explain(error)
            if explained is None:
                raise
            raise Unusable(explained) from error


def explain(error: Exception) -> str | None:
    """What to tell the operator; None for what nobody foresaw, which deserves its traceback."""
    import asyncpg

    from jobgate.embedded import EmbeddedError
    from jobgate.keys import KeyUnusable
    from jobgate.migrations import MigrationError
    from jobgate.registry import RegistryError
    from jobgate.server import AppNotStarted
    from jobgate.settings import SettingsError

    if isinstance(error, SettingsError | EmbeddedError | MigrationError | RegistryError | KeyUnusable | AppNotStarted):
        return str(error)
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "the address is in use: stop what listens there, or choose another with --port"
    if isinstance(error, OSError) and error.errno == errno.EADDRNOTAVAIL:
        return "this machine does not have that address: choose another with --host"
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError | TimeoutError):
        reason = " ".join(str(error).split()) or "it does not answer in time"
        return f"the database did not do it ({reason}): `jobgate doctor` may know more"
    return None
