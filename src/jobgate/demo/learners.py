"""Who goes to the demo school: classes of learners, each as able as chance made them. Pure: a seed gives one school."""

from __future__ import annotations

import math
from importlib.resources import files
from random import Random
from typing import NamedTuple

CLASS_SIZE = 24

_NAMES = (files("jobgate") / "demo" / "names.txt").read_text().split()
_TEACHERS = ("m.okafor", "j.lindqvist", "s.haddad", "r.novak", "c.moreau", "a.tanaka")

_FIRST_YEAR = 7
_YEARS = 4
_CLASSES = "abc"


class Learner(NamedTuple):
    """A learner, and where to find them."""

    user_id: str
    ability: float
    """In the unit of item difficulties: standard deviations from the average learner."""
    school: str
    year: int
    class_name: str
    teacher: str

    @property
    def group_path(self) -> list[str]:
        """The groups that the learner belongs to, from the outside in."""
        return [self.school, f"year-{self.year}", self.class_name]


def find_learner(seed: str, number: int, prefix: str) -> Learner:
    """The learner with this number, from 0 on; the first 24 are one class."""
    group = number // CLASS_SIZE
    school, place = divmod(group, _YEARS * len(_CLASSES))
    year = _FIRST_YEAR + place // len(_CLASSES)
    name, again = _NAMES[number % len(_NAMES)], number // len(_NAMES)
    bonus = 0.3 * draw_normal(Random(f"{seed}/class/{group}"))
    return Learner(
        user_id=f"{prefix}-{name}-{again + 1}" if again else f"{prefix}-{name}",
        ability=bonus + draw_normal(Random(f"{seed}/learner/{number}")),
        school=f"school-{school + 1}",
        year=year,
        class_name=f"{year}{_CLASSES[place % len(_CLASSES)]}",
        teacher=_TEACHERS[group % len(_TEACHERS)],
    )


def draw_normal(chance: Random) -> float:
    """A normal deviate; written out, because the library's own may change with the version of Python."""
    return math.sqrt(-2 * math.log(1 - chance.random())) * math.cos(math.tau * chance.random())
