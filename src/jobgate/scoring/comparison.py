"""What comparing an answer with one solution gives. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Comparison(NamedTuple):
    """An answer beside one solution, area by area."""

    areas: tuple[bool | None, ...]
    """Right, wrong, or None: not answered, or not decided."""
    num_wrong: int
    """Wrong areas, and answers where none was wanted."""
    num_earned: float
    """How many areas earn; a share of them where pairs are compared."""
    num_open: int = 0
    """Areas that could not be decided."""
    doubt: str | None = None
    """Why not."""

    @property
    def is_match(self) -> bool:
        """Whether everything is right and nothing is too much."""
        return self.num_wrong == 0 and self.num_earned == len(self.areas)

    @property
    def may_match(self) -> bool:
        """Whether everything may be right, whatever becomes of what is open."""
        return self.num_wrong == 0 and self.num_earned + self.num_open == len(self.areas)
