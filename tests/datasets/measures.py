"""The statistics of datasets once more, from their definitions, with numpy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from jobgate.testing import House

Matrix = Any
"""Sessions by questions."""


def summarise(values: Sequence[float], kind: str) -> dict[str, float]:
    """What a group says of its users' scores or percents."""
    array = np.asarray(values, dtype=float)
    return {
        f"lowest_{kind}": float(array.min()),
        f"highest_{kind}": float(array.max()),
        f"mean_{kind}": float(array.mean()),
        f"median_{kind}": float(np.median(array)),
        **{f"p{share}_{kind}": float(np.percentile(array, share)) for share in (25, 75, 90)},
        f"stddev_{kind}": float(array.std()),
    }


def correlate(first: Matrix, second: Matrix) -> float:
    """Pearson's coefficient."""
    return float(np.corrcoef(first, second)[0, 1])


def alpha(marks: Matrix) -> float:
    """Cronbach's alpha from the covariance matrix: k / (k - 1) times (1 - trace / sum)."""
    covariance = np.cov(marks, rowvar=False)
    k = covariance.shape[0]
    return float(k / (k - 1) * (1 - np.trace(covariance) / covariance.sum()))


async def differences(house: House, group: dict[str, Any], users: Iterable[int]) -> list[str]:
    """The statistics of a group that are not those of the sessions of these users of `add_many`."""
    async with house.db.reading(1) as tx:
        rows = await tx.connection.fetch(
            "select user_id, score, max_score from session where user_id = any($1)", [f"user-{n}" for n in users]
        )
    scores, maxima = defaultdict[str, float](float), defaultdict[str, float](float)
    for user_id, score, max_score in rows:
        scores[user_id] += score
        maxima[user_id] += max_score
    percents = [100 * score / maxima[user_id] for user_id, score in scores.items()]
    expected = summarise(list(scores.values()), "score") | summarise(percents, "percent")
    return [
        f"{name}: {group[name]}, not {value}" for name, value in expected.items() if abs(group[name] - value) > 6e-5
    ]
