"""The words and signs of typed maths: LaTeX commands, and what people type instead."""

from __future__ import annotations

SIGNS = {
    "=": "=",
    "<": "<",
    ">": ">",
    "\\lt": "<",
    "\\gt": ">",
    "\\le": "<=",
    "\\leq": "<=",
    "\\ge": ">=",
    "\\geq": ">=",
    "\\ne": "!=",
    "\\neq": "!=",
    "<=": "<=",
    ">=": ">=",
    "!=": "!=",
}

TRIGONOMETRIC = ("sin", "cos", "tan", "csc", "sec", "cot")
INVERTIBLE = TRIGONOMETRIC[:3]
"""Those that the exponent -1 inverts."""

FUNCTIONS = (*TRIGONOMETRIC, *(f"arc{name}" for name in INVERTIBLE), "sinh", "cosh", "tanh", "ln", "log", "exp")
WORDS = frozenset((*FUNCTIONS, "sqrt", "pi"))
"""What people type without a backslash."""

_GREEK_SMALL = (
    *("alpha", "beta", "gamma", "delta", "epsilon", "varepsilon", "zeta", "eta", "theta", "vartheta", "iota", "kappa"),
    *("lambda", "mu", "nu", "xi", "rho", "sigma", "tau", "upsilon", "phi", "varphi", "chi", "psi", "omega"),
)
_GREEK_LARGE = ("Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega")
GREEK = frozenset((*_GREEK_SMALL, *_GREEK_LARGE))
"""Commands that are letters; `pi` is none of them but a number."""

TEXT = frozenset(("\\text", "\\mathrm", "\\textrm", "\\operatorname", "\\mbox"))
FRACTIONS = frozenset(("\\frac", "\\dfrac", "\\tfrac"))
TIMES = frozenset(("*", "\\cdot", "\\times", "\\ast"))
DIVIDED = frozenset(("/", "\\div"))
DEGREES = frozenset(("\\circ", "\\degree"))
CLOSERS = {"(": ")", "[": "]", "{": "}", "\\{": "\\}", "|": "|", "\\lvert": "\\rvert", "\\lbrack": "\\rbrack"}
BRACKETS = frozenset(("(", "[", "{", "\\{", "\\lbrack"))
BARS = frozenset(("|", "\\vert", "\\lvert"))
