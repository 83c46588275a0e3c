"""What a dataset shows, and in which order."""

from __future__ import annotations

from typing import get_args

import msgspec

from jobgate.datasets.fields import (
    GROUP_FIELDS,
    QUESTION_FIELDS,
    USER_FIELDS,
    Direction,
    Field,
    GroupOrder,
    Order,
    QuestionOrder,
    UserField,
    UserOrder,
)
from jobgate.datasets.types import DatasetType
from jobgate.errors import ApiError, Code


class Presentation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`fields` and `sort_...` are about groups, in an analysis about questions; an analysis shows no users."""

    fields: tuple[Field, ...] = GROUP_FIELDS
    sort_field: Order = "mean_score"
    sort_order: Direction = "desc"
    user_fields: tuple[UserField, ...] = USER_FIELDS
    users_sort_field: UserOrder = "score"
    users_sort_order: Direction = "desc"


def choose(
    kind: DatasetType,
    *,
    fields: tuple[Field, ...] | None,
    sort_field: Order | None,
    sort_order: Direction,
    user_fields: tuple[UserField, ...] | None,
    users_sort_field: UserOrder | None,
    users_sort_order: Direction | None,
) -> Presentation:
    """What was asked for, and the rest as usual for the type. Raises 20004 for what a dataset of it does not have."""
    known: tuple[Field, ...] = QUESTION_FIELDS if kind.is_analysis else GROUP_FIELDS
    for index, field in enumerate(fields or ()):
        _require(kind, f"options.fields[{index}]", field, known)
    if sort_field is not None:
        orders = get_args(QuestionOrder if kind.is_analysis else GroupOrder)
        _require(kind, "options.default_sort_field", sort_field, orders)
    if kind.is_analysis:
        for name, value in (
            ("user_fields", user_fields),
            ("default_users_sort_field", users_sort_field),
            ("default_users_sort_order", users_sort_order),
        ):
            if value is not None:
                raise ApiError(Code.unsupported_value, f"`options.{name}` has no meaning: {kind.name} shows no users")
    return Presentation(
        fields=known if fields is None else fields,
        sort_field=sort_field or ("p_value" if kind.is_analysis else "mean_score"),
        sort_order=sort_order,
        user_fields=USER_FIELDS if user_fields is None else user_fields,
        users_sort_field=users_sort_field or "score",
        users_sort_order=users_sort_order or "desc",
    )


def _require(kind: DatasetType, place: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise ApiError(
            Code.unsupported_value, f"`{place}` must be one of {', '.join(sorted(known))} for {kind.name}, not {name}"
        )
