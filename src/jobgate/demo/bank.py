"""What the demo school teaches: activities with their items, and the questions with what learners answer to them.

Written by hand in `activities/`, one file each; every question type is asked somewhere.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from msgspec import Struct

from jobgate import wire
from jobgate.sessions.entries import ItemParameters, ItemTag

ACTIVITIES = (
    "fractions-checkpoint",
    "reading-the-crow",
    "water-cycle",
    "measures-and-numbers",
    "telling-and-drawing",
    "mental-arithmetic",
)
"""In the order in which a class sits them."""


class KnownAnswer(Struct, frozen=True, kw_only=True):
    """Something that learners answer."""

    value: Any
    points: float | None = None
    """What a teacher gives for it, where a person marks."""


class KnownQuestion(Struct, frozen=True, kw_only=True):
    """A question as it is put, and what is answered to it; the first answer is the best."""

    reference: str
    question: dict[str, Any]
    answers: tuple[KnownAnswer, ...]

    @property
    def type(self) -> str:
        """The word of the protocol, like `mcq`."""
        return str(self.question["type"])


class KnownItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An item of an activity."""

    reference: str
    seconds: int
    """How long learners take over it, more or less."""
    tags: tuple[ItemTag, ...]
    questions: tuple[KnownQuestion, ...]
    scoring_type: str | None = None
    irt: ItemParameters | None = None


class Activity(Struct, frozen=True, kw_only=True):
    """What a class sits together."""

    reference: str
    title: str
    subject: str
    subscores: list[dict[str, Any]]
    items: tuple[KnownItem, ...]
    administered: int | None = None
    """How many of the items a learner gets, chosen by how well it goes; None: all of them, in order."""


def read_activities() -> list[Activity]:
    """All of them, in their order."""
    folder = files("jobgate") / "demo" / "activities"
    return [wire.decode((folder / f"{name}.json").read_bytes(), Activity) for name in ACTIVITIES]
