"""isSimplified and isFactorised: what takes algebra to see about the form of an answer. Our readings:

* simplified: like terms and numbers are collected, powers, roots and functions worked out, fractions reduced, no factor
  0 or 1, no base twice in a product; and what is equal to one whole number or letter is written as that.
* factorised: each factor is a number, or irreducible over the rationals with coefficients that share no divisor.
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy

from jobgate.scoring.maths import checks
from jobgate.scoring.maths.checks import MathCheck, Undecided
from jobgate.scoring.maths.expressions import Builder, Expression
from jobgate.scoring.maths.literal import normalise
from jobgate.scoring.maths.nodes import (
    Absolute,
    Call,
    Mixed,
    Negation,
    Node,
    Number,
    Power,
    Product,
    Quotient,
    Relation,
    Root,
    Sum,
    Symbol,
    walk,
)
from jobgate.scoring.maths.options import Options


def is_simplified(check: MathCheck) -> bool:
    """Whether nothing is left to do, on any side of an equation. Raises `Undecided`."""
    answer = normalise(checks.read_answer(check), Options())
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
            return not any(isinstance(_bare(part), Sum) for part in node.parts) and _has_no_like_terms(
                [real.build(part) for part in node.parts]
            )
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


def _has_no_like_terms(terms: list[Expression]) -> bool:
    """Whether no two terms, multiplied out, have anything to be added up; 0 goes with everything."""
    seen: set[Expression] = set()
    for term in terms:
        kinds = {part.as_coeff_Mul()[1] for part in sympy.Add.make_args(sympy.expand(term))}
        if term == 0 or kinds & seen:
            return False
        seen |= kinds
    return True


def _is_simple_product(factors: list[Expression]) -> bool:
    numbers = [factor for factor in factors if factor.is_Rational]
    bases = [factor.as_base_exp()[0] for factor in factors if not factor.is_Rational]
    if len(numbers) > 1 or any(abs(number) in (0, 1) for number in numbers) or len(set(bases)) < len(bases):
        return False
    above, below = zip(*(factor.as_numer_denom() for factor in factors), strict=True)
    return bool(sympy.gcd(sympy.Mul(*above), sympy.Mul(*below)) == 1)


def _is_reduced(node: Quotient, real: Builder) -> bool:
    above, below = real.build(node.above), real.build(node.below)
    if isinstance(_bare(node.above), Quotient | Mixed) or isinstance(_bare(node.below), Quotient | Mixed):
        return False
    if above == 0 or (below.is_Rational and (below.q != 1 or below <= 1)) or (above.is_Rational and above.q != 1):
        return False
    return bool(sympy.gcd(above, below) == 1)


def is_factorised(check: MathCheck) -> bool:
    """Whether the factors of the product as typed are irreducible. Raises `Undecided`."""
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
        case Quotient():
            yield from _factors(node.above)
            yield from _factors(node.below)
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
