"""The names of what a dataset can hold, show and sort by."""

from __future__ import annotations

from typing import Literal, get_args

GroupField = Literal[
    "group_count",
    "population",
    "mean_seen_activities",
    "mean_attempted_percent",
    "lowest_score",
    "highest_score",
    "mean_score",
    "median_score",
    "p25_score",
    "p75_score",
    "p90_score",
    "stddev_score",
    "lowest_percent",
    "highest_percent",
    "mean_percent",
    "median_percent",
    "p25_percent",
    "p75_percent",
    "p90_percent",
    "stddev_percent",
]
UserField = Literal["score", "max_score", "attempted_max_score", "unscored_max_score", "seen_activities"]
QuestionNumber = Literal[
    "responses",
    "attempts",
    "unmarked",
    "max_score",
    "mean_score",
    "stddev_score",
    "p_value",
    "point_biserial",
    "corrected_point_biserial",
]
QuestionField = Literal[QuestionNumber, "options"]

GroupOrder = Literal[GroupField, "key", "label"]
UserOrder = Literal[UserField, "user_id"]
QuestionOrder = Literal[QuestionNumber, "question_reference"]
Field = Literal[GroupField, QuestionField]
Order = Literal[GroupOrder, QuestionOrder]
Direction = Literal["asc", "desc"]

GROUP_FIELDS: tuple[GroupField, ...] = get_args(GroupField)
USER_FIELDS: tuple[UserField, ...] = get_args(UserField)
QUESTION_NUMBERS: tuple[QuestionNumber, ...] = get_args(QuestionNumber)
QUESTION_FIELDS: tuple[QuestionField, ...] = get_args(QuestionField)
