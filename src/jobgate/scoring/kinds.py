"""Question types: how the answers of each are read and compared. Pure.

Types and forms of values are those of the public Learnosity documentation. Our reading: each keyed entry is an area of
its own for choices (multiple choice, hotspot, highlighted tokens, a matrix with several choices in a row); a
classification has its cells as areas, and their entries in the modes "per element".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from jobgate.errors import shown
from jobgate.scoring.validation import EXACT, MODES, Mode, Unusable

WHOLE = frozenset({EXACT, MODES["partialMatch"], MODES["partialMatchV2"]})
PAIRS = WHOLE | {MODES["partialMatchPairwise"]}
ELEMENTS = WHOLE | {MODES["partialMatchElement"], MODES["partialMatchElementV2"]}


class Kind(NamedTuple):
    """How a question type is marked."""

    has_places: bool = False
    """The value lists one cell for each place; otherwise it is one cell."""
    by_element: bool = False
    """Each keyed entry is an area."""
    is_typed: bool = False
    """Learners type text: case and surrounding blanks may not matter."""
    is_mathematical: bool = False
    """Learners type mathematics; solutions are specifications that must hold."""
    may_mix: bool = False
    """Solutions may be mixed place by place if `match_all_possible_responses` says so."""
    modes: frozenset[Mode] = WHOLE


CHOICE = Kind(by_element=True)
GAPS = Kind(has_places=True, may_mix=True)
TYPED_GAPS = Kind(has_places=True, may_mix=True, is_typed=True)

AUTOMATIC: Mapping[str, Kind] = {
    "mcq": CHOICE,
    "hotspot": CHOICE,
    "tokenhighlight": CHOICE,
    "choicematrix": Kind(has_places=True),
    "clozetext": TYPED_GAPS,
    "clozedropdown": GAPS,
    "clozeassociation": GAPS,
    "imageclozetext": TYPED_GAPS,
    "imageclozedropdown": GAPS,
    "imageclozeassociation": GAPS,
    "association": Kind(has_places=True),
    "orderlist": Kind(has_places=True, modes=PAIRS),
    "sortlist": Kind(has_places=True, modes=PAIRS),
    "classification": Kind(has_places=True, modes=ELEMENTS),
    "shorttext": Kind(is_typed=True),
    "formula": Kind(is_mathematical=True),
    "formulaV2": Kind(is_mathematical=True),
    "clozeformula": Kind(has_places=True, is_mathematical=True),
    "clozeformulaV2": Kind(has_places=True, is_mathematical=True),
}

MANUAL = frozenset(
    {"audio", "drawing", "fileupload", "highlight", "imageupload", "longtext", "longtextV2", "plaintext", "video"}
)
"""Types that only a person can mark."""


def find_kind(question: Mapping[str, Any]) -> Kind | None:
    """How the question's type is marked; None: by a person. Raises `Unusable`."""
    name = question.get("type")
    if not isinstance(name, str):
        raise Unusable("the question has no `type`")
    if name in MANUAL:
        return None
    kind = AUTOMATIC.get(name)
    if kind is None:
        raise Unusable(f"questions of the type {shown(name)} are not supported")
    return kind
