"""Calls to addresses that users name: which of them are allowed, and the one client that makes them.

`urls` reads a URL, `addresses` judges where it may lead, `client` and its `lines` connect to what was judged and to
nothing else.
"""

from jobgate.outbound.addresses import Forbidden, Rules, read_rules
from jobgate.outbound.answers import Answer
from jobgate.outbound.client import Client
from jobgate.outbound.lines import Line, TooLarge, Unreachable
from jobgate.outbound.urls import Place, read_url

__all__ = [
    "Answer",
    "Client",
    "Forbidden",
    "Line",
    "Place",
    "Rules",
    "TooLarge",
    "Unreachable",
    "read_rules",
    "read_url",
]
