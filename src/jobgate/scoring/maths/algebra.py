"""The checks that take computer algebra, by sympy. Imported by `child` only: nothing here bounds time or memory.

Variables stand for real numbers. What is equal, the same equation, true, simplified or factorised is said by the
modules below.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jobgate.scoring.maths import checks, shapes
from jobgate.scoring.maths.checks import MathCheck, Undecided, Verdict
from jobgate.scoring.maths.equality import equal
from jobgate.scoring.maths.nodes import EULER, PI, Relation, Symbol, walk
from jobgate.scoring.maths.relations import TURNED, all_known, holds, same_relations


def judge(check: MathCheck) -> Verdict:
    """The verdict on a check that `checks.decide` left open."""
    try:
        verdict = checks.conclude(check, _RULES[check.method](check))
    except Undecided as error:
        return Verdict(None, str(error))
    return verdict or Verdict(None, "it could be neither shown nor refuted")


def _symbolic(check: MathCheck) -> bool | None:
    answer, key = checks.read_answer(check), checks.read_key(check)
    places = check.options.decimal_places
    if not isinstance(key, Relation) and not isinstance(answer, Relation):
        return equal(answer, key, places)
    if not isinstance(key, Relation) or not isinstance(answer, Relation):
        return False
    if len(answer.signs) != len(key.signs):
        return False
    if check.options.compare_sides:
        return answer.signs == key.signs and all_known(
            equal(one, other, places) for one, other in zip(answer.sides, key.sides, strict=True)
        )
    if not any(isinstance(node, Symbol) and node not in (PI, EULER) for node in walk(key)):
        return holds(answer)
    same = same_relations(answer, key)
    if len(key.signs) == 1 or same:
        return same
    turned = Relation(tuple(TURNED[sign] for sign in reversed(answer.signs)), tuple(reversed(answer.sides)))
    return True if same_relations(turned, key) else None


def _is_true(check: MathCheck) -> bool | None:
    answer = checks.read_answer(check)
    if not isinstance(answer, Relation):
        raise Undecided("only an equation or an inequality can be true")
    return holds(answer)


_RULES: Mapping[str, Callable[[MathCheck], bool | None]] = {
    "equivSymbolic": _symbolic,
    "isSimplified": shapes.is_simplified,
    "isFactorised": shapes.is_factorised,
    "isTrue": _is_true,
}
