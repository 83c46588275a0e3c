"""What typed maths is read as, what is refused, and that nothing typed costs more than its length."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobgate.scoring.maths.nodes import (
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
    Spread,
    Sum,
    Symbol,
    Unit,
    walk,
)
from jobgate.scoring.maths.parser import MAX_DEPTH, MAX_PARTS, parse
from jobgate.scoring.maths.tokens import MAX_CHARS, Notation, NotUnderstood

PLAIN = Notation()
WITH_UNITS = Notation(has_units=True)

X, Y = Symbol("x"), Symbol("y")
ONE, TWO, THREE = Number("1"), Number("2"), Number("3")
HALF = Quotient(ONE, TWO)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x+1", Sum((X, ONE))),
        ("x-1", Sum((X, Negation(ONE)))),
        (" x + - 3 ", Sum((X, Negation(THREE)))),
        ("+x", X),
        ("-x^2", Negation(Power(X, TWO))),
        ("x^-2", Power(X, Negation(TWO))),
        ("x^{-2}", Power(X, Negation(TWO))),
        ("x^2y", Product((Power(X, TWO), Y))),
        ("xy^2", Product((X, Power(Y, TWO)))),
        ("2xy", Product((TWO, Product((X, Y))))),
        (r"2\cdot x\times y*3", Product((TWO, X, Y, THREE))),
        ("2(x+1)", Product((TWO, Sum((X, ONE))))),
        ("(x)(y)", Product((X, Y))),
        ("2^{x}3", Product((Power(TWO, X), THREE))),
        ("2x/3", Quotient(Product((TWO, X)), THREE)),
        ("1/(xy)", Quotient(ONE, Product((X, Y)))),
        ("1/2*x", Product((HALF, X))),
        (r"6\div2", Quotient(Number("6"), TWO)),
        (r"\frac{1}{2}", HALF),
        (r"\dfrac12", HALF),
        (r"\frac{1}{2}x", Product((HALF, X))),
        (r"1\frac{1}{2}", Mixed(ONE, HALF)),
        (r"-1\frac{1}{2}", Negation(Mixed(ONE, HALF))),
        (r"2\frac{x}{3}", Product((TWO, Quotient(X, THREE)))),
        (r"\sqrt{2}", Root(TWO)),
        (r"\sqrt2", Root(TWO)),
        (r"\sqrt[3]{x}", Root(X, THREE)),
        ("sqrt(2)", Root(TWO)),
        (r"\left(x\right)", X),
        (r"\left[x\right]", X),
        (r"\left|x\right|", Absolute(X)),
        ("|x|y", Product((Absolute(X), Y))),
        ("2|x|", Product((TWO, Absolute(X)))),
        ("||x|-1|", Absolute(Sum((Absolute(X), Negation(ONE))))),
        ("|(|x|)|", Absolute(Absolute(X))),
        (r"\sin x", Call("sin", X)),
        (r"\sin(x)", Call("sin", X)),
        ("sin(x)", Call("sin", X)),
        (r"\sin 2\pi x", Call("sin", Product((TWO, PI, X)))),
        (r"\sin^2 x", Power(Call("sin", X), TWO)),
        (r"\sin(x)^2", Power(Call("sin", X), TWO)),
        (r"\sin^{-1}x", Call("arcsin", X)),
        (r"\sin x\cos y", Product((Call("sin", X), Call("cos", Y)))),
        (r"\operatorname{sin}(x)", Call("sin", X)),
        (r"\log_2 x", Call("log", X, TWO)),
        (r"\log_{10}(x)", Call("log", X, Number("10"))),
        (r"\ln x", Call("ln", X)),
        (r"\sin 30^\circ", Call("sin", Product((Number("30"), Unit("°"))))),
        (r"\pi", PI),
        ("π", PI),
        ("2pi", Product((TWO, PI))),
        (r"\alpha+\beta", Sum((Symbol("\\alpha"), Symbol("\\beta")))),
        ("x_1", Symbol("x_1")),
        ("x_{12}", Symbol("x_12")),
        (r"\text{no  idea}", Symbol("\\text{no idea}")),
        ("50%", Percent(Number("50"))),
        (r"50\%", Percent(Number("50"))),
        ("x=2", Relation(("=",), (X, TWO))),
        (r"x\ne2", Relation(("!=",), (X, TWO))),
        (r"1\le x<2", Relation(("<=", "<"), (ONE, X, TWO))),
        ("x≥2", Relation((">=",), (X, TWO))),
        (r"2\pm1", Spread(TWO, ONE)),
        ("2−1", Sum((TWO, Negation(ONE)))),  # noqa: RUF001 - the sign that keyboards write
        ("x²", Power(X, TWO)),
        (r"\(x\)", X),
        ("$x$", X),
        (r"x\ +\,1", Sum((X, ONE))),
        (".5", Number(".5")),
        ("5.", Number("5.")),
    ],
)  # fmt: skip
def test_what_is_typed_is_read(text: str, expected: Node) -> None:
    assert parse(text, PLAIN) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5cm", Product((Number("5"), Unit("cm")))),
        (r"5\text{ cm}", Product((Number("5"), Unit("cm")))),
        ("5 cm^2", Product((Number("5"), Power(Unit("cm"), TWO)))),
        ("5 km/h", Quotient(Product((Number("5"), Unit("km"))), Unit("h"))),
        (r"5\frac{m}{s}", Product((Number("5"), Quotient(Unit("m"), Unit("s"))))),
        ("1/2 cm", Product((HALF, Unit("cm")))),
        (r"\$5", Product((Unit("$"), Number("5")))),
        ("5€", Product((Number("5"), Unit("€")))),
        ("30°", Product((Number("30"), Unit("°")))),
    ],
)
def test_words_are_units_where_numbers_are_expected(text: str, expected: Node) -> None:
    assert parse(text, WITH_UNITS) == expected


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "digits"),
    [
        ("1000.5", ".", (), "1000.5"),
        ("1,000.5", ".", (",",), "1000.5"),
        ("1.000,5", ",", (".",), "1000.5"),
        ("12 345 678", ".", (" ",), "12345678"),
        (r"1\ 000", ".", (" ",), "1000"),
        ("1,000", ".", (",", " "), "1000"),
        ("0,5", ",", (), "0.5"),
    ],
)
def test_numbers_are_read_with_the_separators_that_are_allowed(
    text: str, decimal: str, thousands: tuple[str, ...], digits: str
) -> None:
    assert parse(text, Notation(decimal, thousands)) == Number(digits)


@pytest.mark.parametrize(
    ("text", "decimal", "thousands"),
    [
        ("1,000", ".", ()),
        ("1.5", ",", ()),
        ("1,00", ".", (",",)),
        ("1,0000", ".", (",",)),
        ("1,000,00", ".", (",",)),
        ("1 000", ".", (",",)),
        ("1.5", ".", (".",)),
    ],
)
def test_other_separators_are_refused(text: str, decimal: str, thousands: tuple[str, ...]) -> None:
    with pytest.raises(NotUnderstood):
        parse(text, Notation(decimal, thousands))


@pytest.mark.parametrize(
    "text", ["1/2x", "1/xy", "1/2(x)", "2^32", "2^xy", "sinx", "xsin(x)", "2pir", r"\sin xy", "3 4", "x2", "2e3"]
)
def test_what_has_two_readings_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstood):
        parse(text, PLAIN)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "(", "x(", "(x", "x)", "(x]", "|x", "x+", "*x"),
        *("--x", "x^", "^2", "x_", r"\frac{1}", r"\frac", "{}"),
        *("5!", "x'", "x;y", "1,2", "2e3", "x=", "a=b=", r"\foo x", r"\text{a", "x%%", "é", "٣", "x\x00", "\ud800"),
        *("__import__('os')", "x.__class__", "lambda: 0", "1.2.3", "[1,2)", r"\input{x}", r"\sin", r"\log_", "sqrt"),
    ],
)  # fmt: skip
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(NotUnderstood):
        parse(text, PLAIN)


def test_a_refusal_says_where_it_stopped() -> None:
    with pytest.raises(NotUnderstood, match=r"^! is not understood at character 4$"):
        parse("2+5!", PLAIN)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("(" * 100_000, f"longer than {MAX_CHARS} characters"),
        ("(" * 900, f"nested deeper than {MAX_DEPTH} levels"),
        ("9^{" * 300, f"nested deeper than {MAX_DEPTH} levels"),
        ("|" * 900, f"nested deeper than {MAX_DEPTH} levels"),
        (r"\sin" * 200, f"nested deeper than {MAX_DEPTH} levels"),
        ("1/" * 400 + "1", f"more than {MAX_DEPTH} divisions"),
        ("1+" * 400 + "1", f"more than {MAX_PARTS} parts"),
        ("x" * 900, f"more than {MAX_PARTS} parts"),
        ("9" * 900, "a number has more than 60 digits"),
    ],
)
def test_size_is_bounded(text: str, reason: str) -> None:
    with pytest.raises(NotUnderstood, match=reason):
        parse(text, PLAIN)


PIECES = (
    *("x", "y", "2", "3.5", "+", "-", "*", "/", "^", "(", ")", "{", "}", "[", "]", "|", "_", "=", "<", " ", ".", ","),
    *(r"\le", r"\pm", r"\frac", r"\frac{1}{2}", r"\sqrt", r"\sin ", "sin(", r"\log_", r"\left", r"\right", r"\text{"),
    *("cm", "%", "e", r"\pi", r"\circ", "$"),
)


@given(
    text=st.text() | st.lists(st.sampled_from(PIECES)).map("".join),
    decimal=st.sampled_from(".,"),
    has_units=st.booleans(),
    ignores_text=st.booleans(),
)
def test_any_text_is_read_or_refused(text: str, decimal: str, has_units: bool, ignores_text: bool) -> None:
    try:
        node = parse(text, Notation(decimal, (" ",), has_units, ignores_text))
    except NotUnderstood:
        return

    assert len(walk(node)) <= 4 * MAX_PARTS


@pytest.mark.parametrize(
    "piece", ["x+", "(x)", r"\frac{1}{2}+", "|x|", r"\left", r"\text{a}", " ", "{", r"\sin ", "x_1"]
)
def test_reading_takes_time_in_proportion_to_length(piece: str) -> None:
    def measure(text: str) -> float:
        best = 1.0
        for _ in range(5):
            started = time.perf_counter()
            try:
                parse(text, PLAIN)
            except NotUnderstood:
                pass
            best = min(best, time.perf_counter() - started)
        return best

    whole = piece * (MAX_CHARS // len(piece))

    assert measure(whole) < 8 * measure(whole[: len(whole) // 4]) + 0.001
