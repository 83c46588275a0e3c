"""Configurations by name: those that are shipped, and those in a folder of the operator."""

from __future__ import annotations

import re
from pathlib import Path

from jobgate.xapi.seeding.configuration import MAX_BYTES, Misconfigured, Seeding, read_seeding

SHIPPED = Path(__file__).parent / "configs"

NAME = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def find_seeding(name: str, folder: str = "") -> Seeding | None:
    """The configuration with this name; None: there is none. One in the folder goes before one that is shipped.

    Raises `Misconfigured` for a file that is no configuration.
    """
    if NAME.fullmatch(name) is None:
        return None
    for place in _list_folders(folder):
        file = place / f"{name}.json"
        try:
            with file.open("rb") as source:
                text = source.read(MAX_BYTES + 1)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise Misconfigured(f"it cannot be read: {error.strerror}") from None
        return read_seeding(text)
    return None


def list_seedings(folder: str = "") -> list[str]:
    """The names that there are."""
    files = (file for place in _list_folders(folder) if place.is_dir() for file in place.glob("*.json"))
    return sorted({file.stem for file in files if NAME.fullmatch(file.stem)})


def _list_folders(folder: str) -> list[Path]:
    return [Path(folder), SHIPPED] if folder else [SHIPPED]
