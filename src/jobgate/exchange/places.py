"""Places: how far a run is with a service. What the next run begins with is made of the last."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec


class LrsPlace(msgspec.Struct, kw_only=True, tag="lrs"):
    """In a walk through the pages of an LRS."""

    done: datetime | None = None
    """All up to then was read by earlier runs."""
    more: str | None = None
    """The page to go on with; None: the walk has not begun."""
    pages: int = 0
    through: datetime | None = None
    """What the LRS had up to then was all there when the walk began."""
    last: datetime | None = None
    """The latest stored that the walk has met,"""
    is_ordered: bool = True
    """as long as each was no earlier than the one before."""

    def is_before(self, other: Place) -> bool:
        """Whether another one is further on."""
        if not isinstance(other, LrsPlace) or other.done is None:
            return False
        return self.done is None or self.done < other.done


class FilePlace(msgspec.Struct, kw_only=True, tag="file"):
    """In a file that is read."""

    offset: int = 0
    """All before it is done."""
    is_inside: bool = False
    """Inside a line that is too long."""
    mark: str = ""
    """What stands before the offset: whether it is still the same file."""
    later: int | None = None
    """Where the first line begins that was too young."""

    def is_before(self, _: Place) -> bool:
        """Nobody knows: the file may be another one."""
        return False


class StorePlace(msgspec.Struct, kw_only=True, tag="store"):
    """In the records of a store that leave."""

    moment: datetime = datetime.min.replace(tzinfo=UTC)
    """All up to then and, of that very moment, up to the number has left."""
    number: int = 0

    def is_before(self, other: Place) -> bool:
        """Whether another one is further on."""
        return isinstance(other, StorePlace) and (self.moment, self.number) < (other.moment, other.number)


Place = LrsPlace | FilePlace | StorePlace
