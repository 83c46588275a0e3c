"""Folders for embedded servers."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jobgate.embedded import start_servers


@contextmanager
def make_open_folder() -> Iterator[Path]:
    """A folder that `nobody` can enter: root's servers keep everything inside."""
    with tempfile.TemporaryDirectory(prefix="jobgate-test-", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


@pytest.fixture(scope="session")
def data() -> Iterator[Path]:
    """A data folder that has been used before; tests share it, for a cluster takes half a second to make."""
    with make_open_folder() as folder:
        with start_servers(folder / "data", durable=False):
            pass
        yield folder / "data"


@pytest.fixture
def copied_data(data: Path) -> Iterator[Path]:
    """A copy of the used data folder, to be damaged."""
    with make_open_folder() as folder:
        subprocess.run(["cp", "-a", str(data), str(folder)], check=True)
        yield folder / "data"


@pytest.fixture
def new_data() -> Iterator[Path]:
    """A data folder that does not exist yet."""
    with make_open_folder() as folder:
        yield folder / "data"
