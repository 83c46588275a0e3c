"""Progress: a bar for people, lines for files, nothing between what is piped."""

from __future__ import annotations

import io

import pytest

from jobgate.cli.progress import Progress


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def test_a_terminal_shows_a_bar_and_is_clean_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)

    with Progress("job 1") as progress:
        progress.show("running", 1, 3)
        progress.show("completed", 3, 3)

    first, second, clean = screen.getvalue().removeprefix("\r").split("\r")
    assert first == "\x1b[Kjob 1 [##########--------------------] 1/3 running"
    assert second == "\x1b[Kjob 1 [##############################] 3/3 completed"
    assert clean == "\x1b[K"


def test_elsewhere_a_line_tells_of_every_new_state(monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.StringIO()
    monkeypatch.setattr("sys.stderr", file)

    with Progress("sessions") as progress:
        progress.show("queued", 0, 0)
        progress.show("running", 1, 3)
        progress.show("running", 2, 3)
        progress.show("loading", 5, 9, "5 lines")

    assert file.getvalue() == "sessions: queued\nsessions: running 1/3\nsessions: loading 5 lines\n"


def test_a_line_takes_the_place_of_the_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)

    with Progress("job 1") as progress:
        progress.say("before")
        progress.show("running", 0, 0)
        progress.say("meanwhile")

    assert capsys.readouterr().out == "before\nmeanwhile\n"
    assert screen.getvalue().split("\r")[2:] == ["\x1b[K", "\x1b[K"]
