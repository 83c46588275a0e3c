"""How able a learner is, from which items were answered right. Pure.

The model is the three-parameter logistic one of Birnbaum (in Lord and Novick, Statistical Theories of Mental Test
Scores, 1968), without the scaling constant 1.7 (D = 1): a learner of ability t answers an item right with probability

    P(t) = c + (1 - c) / (1 + exp(-a (t - b)))

a: discrimination, b: difficulty, c: what guessing reaches. An ability is estimated in two ways:

* ML, the most likely ability (Baker and Kim, Item Response Theory: Parameter Estimation Techniques, 2nd ed. 2004,
  chapter 3). There is none when all is right or all is wrong, so it is looked for between -4 and 4, and one on a bound
  is marked so. With c > 0 the likelihood may have several peaks: a grid finds the highest, Newton's method inside a
  bracket its top. Standard error: 1 / sqrt(I(t)), I being Fisher's information (de Ayala, The Theory and Practice of
  Item Response Theory, 2009, chapter 6), the sum of a² (1 - c) L² (1 - L) / P over the items; L is P for c = 0.
* EAP, the mean of the abilities after the answers, when they were normal (0, 1) before (Bock and Mislevy, Applied
  Psychological Measurement 6, 1982, 431-444), by quadrature over -8 to 8. Standard error: their standard deviation.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import exp, inf, log, log1p, sqrt
from operator import add, mul
from typing import Annotated, NamedTuple

from msgspec import Meta, Struct

BOUND = 4.0
"""The most likely ability is looked for from minus this to this."""

_NODES = [number / 20 for number in range(-160, 161)]
"""The grid on which likelihoods are kept; every other node does for most sums."""
_INSIDE = slice(80, 241)
"""The nodes within the bounds."""

_STEP = 0.05
_PRIOR = [-node * node / 2 for node in _NODES]

_ACCURACY = 1e-9
_MAX_TRIES = 100

_COARSE = 0.8
"""Sums over a grid are as good as integrals (1e-6) while the deviation is at least this many steps."""
_REACH = 8
"""A finer grid has so many steps on each side, each as long as the deviation is believed to be."""
_FINEST = 1e-5


class ItemParameters(Struct, frozen=True):
    """What is known of an item."""

    b: Annotated[float, Meta(ge=-10, le=10)]
    a: Annotated[float, Meta(gt=0, le=10)] = 1.0
    c: Annotated[float, Meta(ge=0, lt=1)] = 0.0


class MostLikely(NamedTuple):
    """The ML estimate."""

    ability: float
    standard_error: float | None
    """None where the answers say nothing about such an ability."""
    at_bound: bool
    """The most likely ability would be beyond, if there is one."""


class Expected(NamedTuple):
    """The EAP estimate."""

    ability: float
    standard_error: float


class Evidence:
    """What a learner has shown so far; every further answer costs the same to add."""

    def __init__(self) -> None:
        self._answers: list[tuple[ItemParameters, bool]] = []
        self._logs = [0.0] * len(_NODES)

    def add(self, item: ItemParameters, right: bool) -> None:
        """An item was answered."""
        self._answers.append((item, right))
        self._logs = list(map(add, self._logs, _tabulate(item, right)))

    def find_most_likely(self) -> MostLikely:
        """The ML estimate. At least one item must have been answered."""
        inside = self._logs[_INSIDE]
        nodes = _NODES[_INSIDE]
        best = inside.index(max(inside))
        ability = nodes[best]
        at_bound = (best == len(nodes) - 1 and self._slope(ability)[0] >= 0) or (
            best == 0 and self._slope(ability)[0] <= 0
        )
        if not at_bound:
            ability = self._climb(ability, nodes[max(best - 1, 0)], nodes[min(best + 1, len(nodes) - 1)])
        information = sum(_inform(item, ability) for item, _ in self._answers)
        return MostLikely(ability, 1 / sqrt(information) if information > 0 else None, at_bound)

    def find_expected(self) -> Expected:
        """The EAP estimate; without any answer it is what was assumed before."""
        logs = list(map(add, self._logs, _PRIOR))
        mean, deviation = _weigh(_NODES[::2], logs[::2])
        if deviation < _COARSE * 2 * _STEP:
            mean, deviation = _weigh(_NODES, logs)
        step = _STEP
        while deviation < _COARSE * step and step > _FINEST:
            step = max(deviation, step / 4)
            offsets = [number * step for number in range(-_REACH, _REACH + 1)]
            further, deviation = _weigh(offsets, [self._log_posterior(mean + offset) for offset in offsets])
            mean += further
        return Expected(mean, deviation)

    def _climb(self, ability: float, low: float, high: float) -> float:
        """The top of the peak between `low` and `high`, neither of which is as likely as `ability`, where it starts."""
        for _ in range(_MAX_TRIES):
            slope, bend = self._slope(ability)
            step = -slope / bend if bend < 0 else inf
            if abs(step) < _ACCURACY or high - low < _ACCURACY:
                break
            low, high = (ability, high) if slope > 0 else (low, ability)
            ability = ability + step if low < ability + step < high else (low + high) / 2
        return ability

    def _slope(self, ability: float) -> tuple[float, float]:
        """The first two derivatives of the logarithm of the likelihood."""
        slope = bend = 0.0
        for item, right in self._answers:
            a, c = item.a, item.c
            logistic = 1 / (1 + exp(-a * (ability - item.b)))
            if right:
                steep = (1 - c) * logistic * (1 - logistic) / (c + (1 - c) * logistic)
                slope += a * steep
                bend += a * a * steep * (1 - 2 * logistic - steep)
            else:
                slope -= a * logistic
                bend -= a * a * logistic * (1 - logistic)
        return slope, bend

    def _log_posterior(self, ability: float) -> float:
        return sum(_log_probability(item, right, ability) for item, right in self._answers) - ability * ability / 2


def estimate(answers: Sequence[tuple[ItemParameters, bool]]) -> Expected:
    """The EAP estimate from some answers."""
    evidence = Evidence()
    for item, right in answers:
        evidence.add(item, right)
    return evidence.find_expected()


@lru_cache(maxsize=1024)  # learners of one activity meet the same items; 10 KB each
def _tabulate(item: ItemParameters, right: bool) -> tuple[float, ...]:
    return tuple(_log_probability(item, right, node) for node in _NODES)


def _log_probability(item: ItemParameters, right: bool, ability: float) -> float:
    """The logarithm of P or of 1 - P, exact where they are close to 0 and where they are close to 1."""
    power = item.a * (ability - item.b)
    if not right:
        return log1p(-item.c) - (log1p(exp(power)) if power < 0 else power + log1p(exp(-power)))
    if power < 0:
        return log(item.c + (1 - item.c) / (1 + exp(-power)))
    return log1p((item.c - 1) / (1 + exp(power)))


def _inform(item: ItemParameters, ability: float) -> float:
    """Fisher's information of an item."""
    logistic = 1 / (1 + exp(-item.a * (ability - item.b)))
    rest = 1 / (1 + exp(item.a * (ability - item.b)))
    return item.a**2 * (1 - item.c) * logistic**2 * rest / (item.c + (1 - item.c) * logistic)


def _weigh(nodes: Sequence[float], logs: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation of nodes whose weights have these logarithms."""
    top = max(logs)
    weights = [exp(each - top) for each in logs]
    weighed = list(map(mul, weights, nodes))
    total = sum(weights)
    mean = sum(weighed) / total
    return mean, sqrt(max(sum(map(mul, weighed, nodes)) / total - mean * mean, 0.0))
