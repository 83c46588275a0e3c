"""What a definition saves as its parameters, held to the type that its task takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

import msgspec

from jobgate import wire
from jobgate.errors import ApiError, Code, shown
from jobgate.settings import Settings

MAX_BYTES = 256 * 1024
"""How long parameters may be: every run gets a copy of them."""

ParamTypes = Mapping[str, Any]
"""Job types, and what the task of each takes."""


@runtime_checkable
class Configured(Protocol):
    """Parameters that name what the operator has configured."""

    def require_configured(self, settings: Settings) -> None:
        """Raise 200xx naming the parameter that names nothing."""


class Checked(NamedTuple):
    """Parameters that their task will understand."""

    params: bytes
    """As they are stored."""
    entries: int
    """How much work they are."""
    given: Any
    """As the task takes them."""


def check_params(types: ParamTypes, name: str, given: Any, settings: Settings) -> Checked:
    """Parameters as jobs of the type `name` take them. Raises 20004 for an unknown type, 200xx naming a parameter."""
    if name not in types:
        raise ApiError(Code.unsupported_value, f"`type` must be a type of jobs, not {shown(name)}")
    text, wanted = wire.encode(given), types[name]
    if len(text) > MAX_BYTES:
        raise ApiError(Code.too_much, f"`params` must not be longer than {MAX_BYTES} bytes as JSON")
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct):
        params = wire.decode_request(text, wanted)[0]
    else:
        params = _decode(text, wanted)
    if isinstance(params, Configured):
        params.require_configured(settings)
    stored = wire.encode(params)
    return Checked(stored, _weigh(stored), params)


def _decode(text: bytes, wanted: Any) -> Any:
    """For a task that takes something else than a struct."""
    try:
        return wire.decode(text, wanted)
    except wire.Undecodable as error:
        raise ApiError(Code.wrong_type, f"`params` must be what the type takes: {error}") from None


def _weigh(stored: bytes) -> int:
    """One entry for each member of the lists that the parameters are made of, as the endpoints count them."""
    params = wire.decode(stored, Any)
    members = params.values() if isinstance(params, dict) else ()
    return max(1, sum(len(member) for member in members if isinstance(member, list)))
