r"""From typed text to nodes: a small reader of the LaTeX that maths keyboards write, and of what people type instead.

    relation := spread (sign spread)*          sign: = \ne < > \le \ge
    spread   := sum [\pm sum]
    sum      := [+|-] term ((+|-) term)*
    term     := factor ((\cdot | \times | * | / | \div | nothing) factor)*
    factor   := primary [^ exponent] [\%]
    primary  := number | letter | unit | \frac | \sqrt | function | ( ) | [ ] | { } | | |

It reads every character once and never goes back. Whatever could be meant in two ways is refused, not guessed:
`1/2x`, `2^32`, `sinx`, two numbers side by side. Length, depth and size are bounded, so that whoever gets the nodes may
recurse over them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from jobgate.scoring.maths.nodes import (
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
    Spread,
    Sum,
    Symbol,
    Unit,
)
from jobgate.scoring.maths.tokens import Notation, NotUnderstood, Tokens
from jobgate.scoring.maths.units import UNITS
from jobgate.scoring.maths.vocabulary import (
    BARS,
    BRACKETS,
    CLOSERS,
    DEGREES,
    DIVIDED,
    FRACTIONS,
    GREEK,
    INVERTIBLE,
    SIGNS,
    TEXT,
    TIMES,
    WORDS,
)

MAX_DEPTH = 25
"""How deep brackets, fractions, roots and exponents may be nested, and how many slashes there may be."""

MAX_PARTS = 300
"""How many numbers, letters, functions and brackets there may be."""

MAX_DIGITS = 60

AMBIGUOUS_DIVISOR = "what is divided by needs brackets"

_WORDS_IN_BRACES = re.compile(r"\s*\{([^{}\\]*)\}")
_INDEX = re.compile(r"\s*(?:\{([A-Za-z0-9]{1,10})\}|([A-Za-z0-9]))")


def parse(text: str, notation: Notation) -> Node:
    """The expression that `text` stands for. Raises `NotUnderstood`, whatever it is given."""
    return _Parser(text, notation).read_all()


class _Parser(Tokens):
    """Reads one expression."""

    def __init__(self, text: str, notation: Notation) -> None:
        self.has_units = notation.has_units
        self.depth = 0
        self.count = 0
        self.slashes = 0
        self.bars = [False]
        """Whether the next bar closes one that is open, in each bracket that is open."""
        super().__init__(text, notation)

    def inner(self, read: Callable[[], Node]) -> Node:
        """Read something one level deeper."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.refusal(f"nested deeper than {MAX_DEPTH} levels")
        node = read()
        self.depth -= 1
        return node

    def add(self, parts: int) -> None:
        """Count the parts of the expression."""
        self.count += parts
        if self.count > MAX_PARTS:
            raise self.refusal(f"more than {MAX_PARTS} parts")

    # -- operators, loosest first ------------------------------------------------------------------------------------

    def read_all(self) -> Node:
        node = self.read_relation()
        if self.token:
            raise self.refusal()
        return node

    def read_relation(self) -> Node:
        signs, sides = [], [self.read_spread()]
        while self.token in SIGNS:
            signs.append(SIGNS[self.step()])
            sides.append(self.read_spread())
        return Relation(tuple(signs), tuple(sides)) if signs else sides[0]

    def read_spread(self) -> Node:
        node = self.read_sum()
        if self.token == "\\pm":
            self.step()
            node = Spread(node, self.read_sum())
        return node

    def read_sum(self) -> Node:
        terms = [self.read_signed(self.read_term)]
        while self.token in ("+", "-"):
            sign = self.step()
            term = self.read_signed(self.read_term)
            terms.append(Negation(term) if sign == "-" else term)
        return Sum(tuple(terms)) if len(terms) > 1 else terms[0]

    def read_signed(self, read: Callable[[], Node]) -> Node:
        """What stands behind a sign, or behind none; two signs in a row are a slip of the finger."""
        if self.token not in ("+", "-"):
            return read()
        sign = self.step()
        node = read()
        return Negation(node) if sign == "-" else node

    def read_term(self) -> Node:
        node = self.read_factor()
        factors, has_slash_before = [node], False
        while True:
            if self.token in TIMES:
                self.step()
                factors.append(self.read_signed(self.read_factor))
                has_slash_before = False
            elif self.token in DIVIDED:
                self.step()
                factors = [Quotient(_product(factors), self.read_signed(self.read_divisor))]
                has_slash_before = True
            elif self.starts_factor():
                if self.is_number and not self.may_precede_number(factors):
                    raise self.refusal("a number stands directly behind something: write a sign between them")
                factor = self.read_factor()
                if has_slash_before and not isinstance(factor, Unit):
                    raise self.refusal(AMBIGUOUS_DIVISOR)
                factors.append(factor)
            else:
                return _product(factors)

    def may_precede_number(self, factors: list[Node]) -> bool:
        """Currencies do, and brackets that cannot be taken for the digits before."""
        if self.previous in (")", "}"):
            return isinstance(factors[-1], Sum | Power | Call | Absolute)
        return len(factors) == 1 and isinstance(factors[0], Unit)

    def read_divisor(self) -> Node:
        self.slashes += 1
        if self.slashes > MAX_DEPTH:
            raise self.refusal(f"more than {MAX_DEPTH} divisions")
        if self.is_run:
            raise self.refusal(AMBIGUOUS_DIVISOR)
        return self.read_factor()

    @property
    def is_run(self) -> bool:
        """Whether several letters come next that are no word but to be multiplied."""
        return self.is_word and len(self.token) > 1 and not self.has_units and self.token not in WORDS

    def starts_factor(self) -> bool:
        """Whether something begins here that is to be multiplied with what was before."""
        token = self.token
        if token in BARS:
            return not self.bars[-1]
        return (
            self.is_number
            or self.is_word
            or token in BRACKETS
            or token in FRACTIONS
            or token in TEXT
            or (token[:1] == "\\" and (token[1:] in WORDS or token[1:] in GREEK))
            or token in ("\\$", "$", "€", "£", "\\degree")
        )

    def read_factor(self) -> Node:
        self.add(1)
        node = self.read_primary()
        if self.token == "^":
            node = self.read_power(node)
        if self.token == "\\degree":
            node = self.read_degrees(node)
        if self.token in ("%", "\\%"):
            self.step()
            node = Percent(node)
        if self.token in ("^", "_", "!", "%", "\\%", "'"):
            raise self.refusal()
        return node

    def read_power(self, base: Node) -> Node:
        self.step()
        if self.token in DEGREES:
            return self.read_degrees(base)
        exponent = self.inner(self.read_exponent)
        return Product((base, Unit("°"))) if exponent == Unit("°") else Power(base, exponent)

    def read_degrees(self, node: Node) -> Node:
        self.step()
        return Product((node, Unit("°")))

    def read_exponent(self) -> Node:
        if self.token == "{":
            self.step()
            if self.token in DEGREES:
                self.step()
                node: Node = Unit("°")
            else:
                node = self.read_sum()
            self.expect("}")
            return node
        return self.read_signed(self.read_one)

    def read_one(self) -> Node:
        """What LaTeX takes without braces: one digit, one letter, one command or one bracket."""
        if self.is_number:
            return self.read_digit(is_last=True)
        if self.is_word:
            if self.is_run:
                raise self.refusal("a word stands where one letter is expected: write braces or a sign")
            return self.read_word()
        if self.token in BRACKETS or self.token[:1] == "\\":
            return self.read_primary()
        raise self.refusal()

    def read_digit(self, *, is_last: bool) -> Number:
        """One digit of a number; as the last of its kind it must not have another digit behind it."""
        if not self.token[0].isdecimal() or (is_last and len(self.token) > 1):
            raise self.refusal(f"{self.token[:20]} stands where one digit is expected: write braces around it")
        return Number(self.step_digit())

    # -- primaries ---------------------------------------------------------------------------------------------------

    def read_primary(self) -> Node:
        token = self.token
        if self.is_number:
            return self.read_number()
        if self.is_word:
            return self.read_word()
        if token in BRACKETS:
            return self.inner(self.read_group)
        if token in BARS:
            return self.inner(self.read_bars)
        if token in FRACTIONS:
            return self.inner(self.read_fraction)
        if token in TEXT:
            return self.read_text()
        if token in ("\\$", "$", "€", "£", "\\degree"):
            self.step()
            return self.measured({"\\$": "$", "\\degree": "°"}.get(token, token))
        name = token[1:] if token[:1] == "\\" else ""
        if name in WORDS:
            self.step()
            return self.read_known(name)
        if name in GREEK:
            self.step()
            return self.read_index(token)
        raise self.refusal()

    def measured(self, name: str) -> Node:
        if not self.has_units:
            raise NotUnderstood(f"the unit {name} is not expected here")
        return Unit(name)

    def read_number(self) -> Node:
        number = Number(self.plain(self.step()))
        if len(number.digits) > MAX_DIGITS:
            raise self.refusal(f"a number has more than {MAX_DIGITS} digits")
        if number.is_integer and self.token in FRACTIONS:
            fraction = self.inner(self.read_fraction)
            if isinstance(fraction, Quotient) and _is_plain(fraction.above) and _is_plain(fraction.below):
                return Mixed(number, fraction)
            return Product((number, fraction))
        return number

    def read_fraction(self) -> Node:
        self.step()
        above = self.read_argument(is_last=False)
        return Quotient(above, self.read_argument(is_last=True))

    def read_argument(self, *, is_last: bool = True) -> Node:
        """What stands in braces, or the one thing that stands for it."""
        if self.token == "{":
            return self.inner(self.read_group)
        if self.is_number:
            return self.read_digit(is_last=is_last)
        return self.read_one()

    def read_group(self) -> Node:
        closing = CLOSERS[self.step()]
        self.bars.append(False)
        node = self.read_sum()
        self.bars.pop()
        self.expect(closing)
        return node

    def read_bars(self) -> Node:
        closing = {"\\vert": "\\vert"}.get(self.token) or CLOSERS[self.token]
        self.step()
        self.bars.append(True)
        node = self.read_sum()
        self.bars.pop()
        self.expect(closing)
        return Absolute(node)

    def read_text(self) -> Node:
        r"""`\text{...}`: a unit, a function, or words that count as one letter."""
        words = self.step_over(_WORDS_IN_BRACES)
        name = " ".join(words[1].split())
        if self.has_units:
            return self.read_unit(name)
        if name in WORDS:
            return self.read_known(name)
        return Symbol(f"\\text{{{name}}}")

    def read_unit(self, name: str) -> Node:
        if name not in UNITS:
            raise NotUnderstood(f"{name[:20] or 'nothing'} is no unit that we know")
        return Unit(name)

    def read_word(self) -> Node:
        """A run of letters: a name that everybody knows, a unit, or letters to be multiplied."""
        word = self.token
        if word in WORDS:
            self.step()
            return self.read_known(word)
        if self.has_units and word != "e":
            self.step()
            return self.read_unit(word)
        hidden = next((name for name in WORDS if name in word), None)
        if hidden is not None or "µ" in word:
            raise self.refusal(
                f"{word[:20]} can be read as letters or as {hidden or 'a unit'}: write a sign between them"
            )
        self.add(len(word) - 1)
        letters: list[Node] = [Symbol(letter) for letter in word]
        self.step()
        letters[-1] = self.read_index(word[-1])
        if self.token == "^":  # of the last letter only
            letters[-1] = self.read_power(letters[-1])
        return _product(letters)

    def read_index(self, name: str) -> Node:
        if self.token != "_":
            return Symbol(name)
        found = self.step_over(_INDEX)
        return Symbol(f"{name}_{found[1] or found[2]}")

    # -- functions ---------------------------------------------------------------------------------------------------

    def read_known(self, name: str) -> Node:
        if name == "pi":
            return Symbol("\\pi")
        if name == "sqrt":
            return self.inner(self.read_root)
        return self.inner(lambda: self.read_call(name))

    def read_root(self) -> Node:
        if self.token == "[":
            self.step()
            degree = self.read_sum()
            self.expect("]")
            return Root(self.read_argument(), degree)
        return Root(self.read_argument())

    def read_call(self, name: str) -> Node:
        base = exponent = None
        if self.token == "_" and name == "log":
            self.step()
            base = self.read_argument()
        if self.token == "^":
            self.step()
            exponent = self.read_exponent()
        if exponent == Negation(Number("1")):
            if name not in INVERTIBLE:
                raise self.refusal(f"{name} with the exponent -1 can be read as an inverse or as a power")
            name, exponent = f"arc{name}", None
        is_closed = self.token in BRACKETS
        part = self.read_primary() if is_closed else self.read_bare()
        if self.token == "^" and exponent is not None:
            raise self.refusal()
        call: Node = Call(name, part, base)
        return call if exponent is None else Power(call, exponent)

    def read_bare(self) -> Node:
        r"""The argument of a function without brackets: `2\pi x`, but nothing that could end elsewhere."""
        factors: list[Node] = []
        if self.is_number:
            factors.append(self.read_factor())
        if self.token == "\\pi":
            factors.append(self.read_factor())
        is_letter = len(self.token) == 1 and self.is_word
        if is_letter or self.token[1:] in GREEK or (not factors and not self.is_word):
            factors.append(self.read_factor())
        if not factors:
            raise self.refusal("the argument of a function needs brackets")
        if self.is_number or self.is_word or self.token in BRACKETS or self.token[1:] in GREEK:
            raise self.refusal("where the argument of a function ends needs brackets")
        return _product(factors)


def _product(factors: list[Node]) -> Node:
    return factors[0] if len(factors) == 1 else Product(tuple(factors))


def _is_plain(node: Node) -> bool:
    return isinstance(node, Number) and node.is_integer
