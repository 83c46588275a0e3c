"""What is deleted: one, by its name, or all of a kind, which has to be said."""

from __future__ import annotations

from jobgate.errors import ApiError, Code


def require_one_or_all(name: str, value: object | None, wants_all: bool) -> None:
    """Raise 20000 where neither is asked for, 20004 where both are; `name` is the parameter that names one."""
    if value is None and not wants_all:
        raise ApiError(Code.missing_parameter, f"`{name}` must have a non-null value; to delete all, give `all`: true")
    if value is not None and wants_all:
        raise ApiError(Code.unsupported_value, f"`all` must not be true together with `{name}`")
