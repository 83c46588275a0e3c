"""The checks that take computer algebra, by sympy. Imported by `child` only: nothing here bounds time or memory.

Variables stand for real numbers. Two expressions are equal when their difference is proven to be zero, and different
when both have real values at some point and these differ; else nothing is said. If no point with a negative number
suits both, the proof may take the variables as positive: `ln(x^2)` is `2 ln x`. Two equations, or inequalities, are
equal when one is the other multiplied by a constant other than zero (below zero turns the sign round).

Our readings of the form checks, none of which compares with the author's value:

* isSimplified: like terms and numbers are collected, powers and roots worked out, fractions reduced, no factor 0 or 1
  and no base twice in a product; and what is equal to one number or letter is written as that.
* isFactorised: each factor is a number, or irreducible over the rationals with coefficients that share no divisor.
* isTrue: both sides of each sign are equal (or in that order) for all values of the variables; false if they are not
  at some point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any

import sympy

from jobgate.scoring.maths import checks
from jobgate.scoring.maths.checks import MathCheck, Undecided, Verdict
from jobgate.scoring.maths.nodes import (
    EULER,
    PI,
    Absolute,
    Call,
    Mixed,
    Negation,
    Node,
    Number,
    Percent,
    Power,
    Product,
    Quotient,
    Relation,
    Root,
    Sum,
    Symbol,
    Unit,
    walk,
)

MAX_EXPONENT = 200
"""The largest exponent that is written out."""

MAX_BITS = 4096
"""How long a number may get when a power is worked out."""

POINTS = 12
"""How many points two expressions are compared at."""

IMAGINARY = Symbol("i")
TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "=", "!=": "!="}

Expression = Any
"""A sympy expression; sympy is published without types."""


def judge(check: MathCheck) -> Verdict:
    """The verdict on a check that `checks.decide` left open."""
    try:
        verdict = checks.conclude(check, _RULES[check.method](check))
    except Undecided as error:
        return Verdict(None, str(error))
    return verdict or Verdict(None, "it could be neither shown nor refuted")


# -- building --------------------------------------------------------------------------------------------------------


class Builder:
    """Turns nodes into sympy expressions; equal names become the same variable."""

    def __init__(self, assumption: str = "real", *, has_imaginary: bool = False) -> None:
        self.assumption = assumption
        self.has_imaginary = has_imaginary

    def build(self, node: Node) -> Expression:
        """The expression. Raises `Undecided`."""
        built = self._build(node)
        if built.has(sympy.zoo, sympy.nan, sympy.oo, -sympy.oo):
            raise Undecided("it divides by zero")
        return built

    def _build(self, node: Node) -> Expression:
        build = self._build
        match node:
            case Number():
                return sympy.Rational(node.digits)
            case Symbol():
                return self._symbol(node)
            case Unit("°"):
                return sympy.pi / 180
            case Percent():
                return build(node.part) / 100
            case Negation():
                return -build(node.part)
            case Sum():
                return sympy.Add(*map(build, node.parts))
            case Product():
                return sympy.Mul(*map(build, node.parts))
            case Quotient():
                return build(node.above) / build(node.below)
            case Mixed():
                return build(node.whole) + build(node.fraction)
            case Power():
                return _power(build(node.base), build(node.exponent))
            case Root():
                return _root(build(node.part), sympy.Integer(2) if node.degree is None else build(node.degree))
            case Absolute():
                return sympy.Abs(build(node.part))
            case Call():
                return self._call(node)
            case _:
                raise Undecided("an equation or an inequality stands where an expression is expected")

    def _symbol(self, node: Symbol) -> Expression:
        if node == PI:
            return sympy.pi
        if node == EULER:
            return sympy.E
        if node == IMAGINARY and self.has_imaginary:
            return sympy.I
        return sympy.Symbol(node.name, **{self.assumption: True})

    def _call(self, node: Call) -> Expression:
        argument = self._build(node.part)
        if node.name == "log":
            return sympy.log(argument, sympy.Integer(10) if node.base is None else self._build(node.base))
        return _FUNCTIONS[node.name](argument)


_FUNCTIONS: Mapping[str, Callable[[Expression], Expression]] = {
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "csc": sympy.csc,
    "sec": sympy.sec,
    "cot": sympy.cot,
    "arcsin": sympy.asin,
    "arccos": sympy.acos,
    "arctan": sympy.atan,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
    "ln": sympy.log,
    "exp": sympy.exp,
}


def _power(base: Expression, exponent: Expression) -> Expression:
    if exponent.is_Rational:
        if abs(exponent) > MAX_EXPONENT:
            raise Undecided(f"an exponent is larger than {MAX_EXPONENT}")
        if base.is_Rational and max(base.p.bit_length(), base.q.bit_length()) * abs(exponent) > MAX_BITS:
            raise Undecided("a number is too large")
    elif base.is_number and exponent.is_number:
        size = abs(sympy.N(exponent, 5)) * abs(sympy.log(abs(sympy.N(base, 5)) + 1, 2))
        if not size.is_comparable or size > MAX_BITS:
            raise Undecided("a number is too large")
    return sympy.Pow(base, exponent)


def _root(part: Expression, degree: Expression) -> Expression:
    if not (degree.is_Integer and 1 <= degree <= MAX_EXPONENT):
        raise Undecided("such a root is unknown")
    if part.is_Rational and part < 0 and degree % 2 == 1:
        return -sympy.root(-part, degree)
    return sympy.root(part, degree)


# -- equality --------------------------------------------------------------------------------------------------------


def _equal(answer: Node, key: Node, places: int) -> bool | None:
    """Whether two expressions are equal, in every reading that they have."""
    nodes = (*walk(answer), *walk(key))
    if IMAGINARY not in nodes:
        return _equal_in(answer, key, places, has_imaginary=False)
    as_letter = _equal_in(answer, key, places, has_imaginary=False)
    if as_letter is _equal_in(answer, key, places, has_imaginary=True):
        return as_letter
    raise Undecided("i can be read as a variable or as the imaginary unit")


def _equal_in(answer: Node, key: Node, places: int, *, has_imaginary: bool) -> bool | None:
    real = Builder("real", has_imaginary=has_imaginary)
    one, other = real.build(answer), real.build(key)
    difference = one - other
    if difference.is_number:
        return _is_zero_number(difference, places)
    has_decimals = any(isinstance(node, Number) and not node.is_integer for node in (*walk(answer), *walk(key)))
    if has_decimals and _is_negligible(difference, places):
        return True
    met = _compare(one, other)
    if met.differ:
        return False
    if _is_zero(difference):
        return True
    if met.have_negatives:
        return None
    positive = Builder("positive", has_imaginary=has_imaginary)
    return True if _is_zero(positive.build(answer) - positive.build(key)) else None


def _is_negligible(difference: Expression, places: int) -> bool:
    """Whether only numbers are left, once multiplied out, that vanish in the decimal places that count."""
    variables = difference.free_symbols
    terms = sympy.Add.make_args(sympy.expand(difference))
    return all(_is_zero_number(term.as_independent(*variables)[0], places) for term in terms if term != 0)


def _is_zero_number(number: Expression, places: int) -> bool | None:
    size = abs(sympy.N(number, 30))
    return bool(size <= sympy.Rational(1, 2 * 10**places)) if size.is_comparable else None


def _is_zero(difference: Expression) -> bool:
    if sympy.expand(difference) == 0:
        return True
    simplified = sympy.simplify(difference)
    rewritten = (simplified, sympy.expand(simplified), sympy.trigsimp(sympy.expand_log(simplified)))
    return any(form == 0 for form in rewritten)


class _Meeting:
    """What came of comparing two expressions at some points."""

    def __init__(self) -> None:
        self.differ = False
        self.have_negatives = False
        """Whether both had real values at a point with a negative number."""


def _compare(one: Expression, other: Expression) -> _Meeting:
    met = _Meeting()
    variables = sorted(one.free_symbols | other.free_symbols, key=str)
    for point in _points(variables):
        values = [sympy.N(each.subs(point), 30) for each in (one, other)]
        if not all(value.is_Number and value.is_finite for value in values):
            continue
        met.have_negatives |= any(number < 0 for number in point.values())
        scale = max(abs(values[0]), abs(values[1]), 1)
        if abs(values[0] - values[1]) > scale * sympy.Float("1e-12"):
            met.differ = True
            break
    return met


def _points(variables: list[Expression]) -> Iterator[dict[Expression, Expression]]:
    """The same points every time: first positive ones, then such with negative numbers."""
    for at in range(POINTS):
        yield {
            variable: sympy.Rational((7 * at + 5 * number + 3) % 23 + 1, 7) * (-1 if (at + number) % 3 == 2 else 1)
            if at >= POINTS // 3
            else sympy.Rational((11 * at + 7 * number + 4) % 19 + 1, 9)
            for number, variable in enumerate(variables)
        }


# -- equations -------------------------------------------------------------------------------------------------------


def _symbolic(check: MathCheck) -> bool | None:
    answer, key = checks.read_answer(check), checks.read_key(check)
    places = check.options.decimal_places
    if not isinstance(key, Relation) and not isinstance(answer, Relation):
        return _equal(answer, key, places)
    if not isinstance(key, Relation) or not isinstance(answer, Relation):
        return False
    if len(answer.signs) != len(key.signs):
        return False
    if check.options.compare_sides:
        return answer.signs == key.signs and _all(
            _equal(one, other, places) for one, other in zip(answer.sides, key.sides, strict=True)
        )
    if not any(isinstance(node, Symbol) and node not in (PI, EULER) for node in walk(key)):
        return _holds(answer)
    same = _same_relations(answer, key)
    if len(key.signs) == 1 or same:
        return same
    turned = Relation(tuple(TURNED[sign] for sign in reversed(answer.signs)), tuple(reversed(answer.sides)))
    return True if _same_relations(turned, key) else None


def _same_relations(answer: Relation, key: Relation) -> bool | None:
    pairs = zip(answer.signs, pairwise(answer.sides), key.signs, pairwise(key.sides), strict=True)
    return _all(_same_relation(*pair) for pair in pairs)


def _all(verdicts: Iterator[bool | None]) -> bool | None:
    """False if one is; else None if one is."""
    known: bool | None = True
    for verdict in verdicts:
        if verdict is False:
            return False
        known = known and verdict
    return known


def _same_relation(answer_sign: str, answer: tuple[Node, Node], key_sign: str, key: tuple[Node, Node]) -> bool | None:
    real = Builder("real")
    one = real.build(answer[0]) - real.build(answer[1])
    other = real.build(key[0]) - real.build(key[1])
    if one.free_symbols != other.free_symbols:
        return False
    if _is_zero(other) or _is_zero(one):
        raise Undecided("an equation that always holds is like any other that does")
    ratio = sympy.simplify(one / other)
    if ratio.free_symbols:
        met = [sympy.N(ratio.subs(point), 30) for point in _points(sorted(ratio.free_symbols, key=str))]
        finite = [value for value in met if value.is_Number and value.is_finite]
        is_constant = all(abs(value - finite[0]) <= abs(finite[0]) * sympy.Float("1e-12") for value in finite)
        return None if is_constant else False
    if not ratio.is_comparable:
        return None
    return answer_sign == (key_sign if ratio > 0 else TURNED[key_sign])


def _is_true(check: MathCheck) -> bool | None:
    answer = checks.read_answer(check)
    if not isinstance(answer, Relation):
        raise Undecided("only an equation or an inequality can be true")
    return _holds(answer)


def _holds(relation: Relation) -> bool | None:
    return _all(
        _holds_between(sign, *sides) for sign, sides in zip(relation.signs, pairwise(relation.sides), strict=True)
    )


def _holds_between(sign: str, left: Node, right: Node) -> bool | None:
    if sign in ("=", "!="):
        equal = _equal(left, right, 10)
        if sign == "=" or equal is None:
            return equal
        if equal:
            return False
    real = Builder("real")
    difference = real.build(left) - real.build(right)
    if not difference.is_number:
        if sign == "!=":
            raise Undecided("whether two sides always differ is not decided")
        return _refuted_somewhere(sign, difference)
    number = sympy.N(difference, 30)
    if not number.is_comparable:
        return None
    if sign == "!=":
        return True
    is_zero = abs(number) < sympy.Float("1e-20")
    return is_zero and sign in ("<=", ">=") if is_zero else (number < 0) == (sign in ("<", "<="))


def _refuted_somewhere(sign: str, difference: Expression) -> bool | None:
    for point in _points(sorted(difference.free_symbols, key=str)):
        number = sympy.N(difference.subs(point), 30)
        if number.is_Number and number.is_finite and bool(number > 0) == (sign in ("<", "<=")) and number != 0:
            return False
    return None


# -- forms -----------------------------------------------------------------------------------------------------------


def _is_simplified(check: MathCheck) -> bool:
    answer = checks.read_answer(check)
    real = Builder("real")
    if isinstance(answer, Relation):
        return all(_simplest(side, real) for side in answer.sides)
    return _simplest(answer, real)


def _simplest(node: Node, real: Builder) -> bool:
    whole = sympy.simplify(real.build(node))
    if (whole.is_Integer or whole.is_Symbol) and not isinstance(_bare(node), Number | Symbol):
        return False
    return all(_is_simple(each, real) for each in walk(node))


def _is_simple(node: Node, real: Builder) -> bool:
    """Whether this node, given that those in it are simple, leaves nothing to do."""
    match node:
        case Sum():
            terms = [real.build(part) for part in node.parts]
            kinds = [term.as_coeff_Mul()[1] for term in terms]
            return len(set(kinds)) == len(kinds) and all(term != 0 for term in terms)
        case Product():
            return _is_simple_product([real.build(part) for part in node.parts])
        case Quotient():
            return _is_reduced(node, real)
        case Mixed():
            above, below = real.build(node.fraction.above), real.build(node.fraction.below)
            return bool(0 < above < below)
        case Power():
            base, exponent = real.build(node.base), real.build(node.exponent)
            is_worked_out = not (base.is_Rational and exponent.is_Integer) and exponent not in (0, 1)
            return is_worked_out and not isinstance(node.base, Power)
        case Root():
            return bool(real.build(node).is_Pow)
        case Call():
            return bool(real.build(node).is_Function or real.build(node).has(sympy.log, sympy.exp))
        case Absolute():
            return isinstance(real.build(node), sympy.Abs)
        case Negation():
            return not isinstance(node.part, Negation)
        case _:
            return True


def _is_simple_product(factors: list[Expression]) -> bool:
    numbers = [factor for factor in factors if factor.is_Rational]
    bases = [factor.as_base_exp()[0] for factor in factors if not factor.is_Rational]
    return len(numbers) < 2 and all(abs(number) not in (0, 1) for number in numbers) and len(set(bases)) == len(bases)


def _is_reduced(node: Quotient, real: Builder) -> bool:
    above, below = real.build(node.above), real.build(node.below)
    if isinstance(_bare(node.above), Quotient | Mixed) or isinstance(_bare(node.below), Quotient | Mixed):
        return False
    if above == 0 or (below.is_Rational and (below.q != 1 or below <= 1)) or (above.is_Rational and above.q != 1):
        return False
    return bool(sympy.gcd(above, below) == 1)


def _is_factorised(check: MathCheck) -> bool:
    """Looks at the product as typed: its factors, the bases of its whole powers."""
    if check.options.field not in ("integer", "integerType"):
        raise Undecided("factors are known over whole numbers only")
    answer = checks.read_answer(check)
    real = Builder("real")
    built = real.build(answer)
    if not built.free_symbols:
        raise Undecided("whether a number is factorised is not decided")
    if not built.is_polynomial(*built.free_symbols):
        raise Undecided("only polynomials are factorised")
    return all(_is_irreducible(factor, real) for factor in _factors(answer))


def _factors(node: Node) -> Iterator[Node]:
    match node:
        case Negation():
            yield from _factors(node.part)
        case Product():
            for part in node.parts:
                yield from _factors(part)
        case Power(exponent=Number()):
            yield from _factors(node.base)
        case _:
            yield node


def _is_irreducible(factor: Node, real: Builder) -> bool:
    built = real.build(factor)
    if built.is_Rational:
        return True
    content, found = sympy.factor_list(built)
    return abs(content) == 1 and len(found) == 1 and found[0][1] == 1


def _bare(node: Node) -> Node:
    return node.part if isinstance(node, Negation) else node


_RULES: Mapping[str, Callable[[MathCheck], bool | None]] = {
    "equivSymbolic": _symbolic,
    "isSimplified": _is_simplified,
    "isFactorised": _is_factorised,
    "isTrue": _is_true,
}
