"""How a request is refused."""

from __future__ import annotations


class Refusal(Exception):
    """An answer with another status than success."""

    def __init__(self, status: int, why: str = "") -> None:
        super().__init__(f"{status}: {why}")
        self.status = status
        self.why = why
