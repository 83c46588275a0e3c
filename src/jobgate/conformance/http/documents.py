"""Documents: kept, merged, listed, deleted, in each of their three resources."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from jobgate.conformance.checks import Check, Run
from jobgate.conformance.http.resources import RESOURCES, STATE, OfResource, Resource, bind
from jobgate.conformance.lrs import Lrs, make_id, read_time, require_same
from jobgate.conformance.made import make

METHODS = ("PUT", "POST", "GET", "DELETE")

OCTETS = "application/octet-stream"


class Documents:
    """The checks of all three resources: each stands here once."""

    def __init__(self) -> None:
        self.checks: list[Check] = []

    def __call__(self, what: str, *more: str) -> Callable[[OfResource], None]:
        """The function below shows `what` of every resource, and `more` ids."""

        def mark(run: OfResource) -> None:
            for resource in RESOURCES:
                title = f"{(run.__doc__ or '').strip()} ({resource.path})"
                self.add(resource, bind(run, resource), title, *resource.id_of(what), *more)

        return mark

    def add(self, resource: Resource, run: Run, title: str, *ids: str) -> None:
        """Add one that was made."""
        self.checks.append(Check(resource.section, ids, title, run))


DOCUMENTS = check = Documents()


@check("put")
async def put(lrs: Lrs, resource: Resource) -> None:
    """A PUT keeps a document"""
    params = resource.make_params()
    (await resource.send(lrs, "PUT", params, {"a": 1}, If_None_Match="*")).must_be(204)
    said = await resource.send(lrs, "GET", params)
    said.require(said.json() == {"a": 1}, "the document was changed")


@check("get")
async def get(lrs: Lrs, resource: Resource) -> None:
    """A document comes back with its bytes and its type"""
    params, content = resource.make_params(), b"\x00\xff plain \r\n"
    (await resource.send(lrs, "PUT", params, content, Content_Type=OCTETS, If_None_Match="*")).must_be(204)
    said = (await resource.send(lrs, "GET", params)).must_be(200)
    said.require(said.body == content, "the document was changed")
    said.require(said.header("Content-Type").startswith(OCTETS), "the document has another type")
    (await resource.send(lrs, "GET", params | {resource.name: make_id()})).must_be(404)


@check("post")
async def post(lrs: Lrs, resource: Resource) -> None:
    """A POST of a document that is not there keeps it"""
    params = resource.make_params()
    (await resource.send(lrs, "POST", params, {"a": 1})).must_be(204)
    said = await resource.send(lrs, "GET", params)
    said.require(said.json() == {"a": 1}, "the document was changed")


@check("delete")
async def delete(lrs: Lrs, resource: Resource) -> None:
    """A DELETE deletes a document, and no other"""
    params = resource.make_params()
    other = params | {resource.name: make_id()}
    for each in (params, other):
        (await resource.send(lrs, "POST", each, {"a": 1})).must_be(204)
    (await resource.send(lrs, "DELETE", params)).must_be(204)
    (await resource.send(lrs, "GET", params)).must_be(404)
    (await resource.send(lrs, "GET", other)).must_be(200)


@check("merge", "XAPI-00183", "XAPI-00184", "XAPI-00185", "XAPI-00186")
async def merge(lrs: Lrs, resource: Resource) -> None:
    """A POST merges JSON objects, one level deep"""
    params = resource.make_params()
    (await resource.send(lrs, "POST", params, {"a": {"x": 1}, "b": 1, "c": 1})).must_be(204)
    (await resource.send(lrs, "POST", params, {"a": {"y": 2}, "b": 2, "d": 2})).must_be(204)
    said = await resource.send(lrs, "GET", params)
    said.require(said.json() == {"a": {"y": 2}, "b": 2, "c": 1, "d": 2}, "the documents were not merged")


@check("merge_type", "XAPI-00182")
async def merge_other_types(lrs: Lrs, resource: Resource) -> None:
    """A POST to or of what is no JSON is refused, and changes nothing"""
    plain, structured = resource.make_params(), resource.make_params()
    (await resource.send(lrs, "POST", plain, b"text", Content_Type=OCTETS)).must_be(204)
    (await resource.send(lrs, "POST", structured, {"a": 1})).must_be(204)
    (await resource.send(lrs, "POST", plain, {"a": 1})).must_be(400)
    (await resource.send(lrs, "POST", structured, b"text", Content_Type=OCTETS)).must_be(400)
    said = await resource.send(lrs, "GET", plain)
    said.require(said.body == b"text", "the document was changed")
    said = await resource.send(lrs, "GET", structured)
    said.require(said.json() == {"a": 1}, "the document was changed")


@check("merge_no_object", "XAPI-00182")
async def merge_no_objects(lrs: Lrs, resource: Resource) -> None:
    """A POST to or of JSON that is no object is refused, and changes nothing"""
    params = resource.make_params()
    (await resource.send(lrs, "POST", params, {"a": 1})).must_be(204)
    for body in ([1], "text", 1):
        (await resource.send(lrs, "POST", params, body)).must_be(400)
    said = await resource.send(lrs, "GET", params)
    said.require(said.json() == {"a": 1}, "the document was changed")
    array = resource.make_params()
    (await resource.send(lrs, "PUT", array, [1], If_None_Match="*")).must_be(204)
    (await resource.send(lrs, "POST", array, {"a": 1})).must_be(400)


@check("post_no_json")
async def post_no_json(lrs: Lrs, resource: Resource) -> None:
    """A POST of application/json that is none is refused"""
    params = resource.make_params()
    (await resource.send(lrs, "POST", params, b'{"a": ')).must_be(400)
    (await resource.send(lrs, "GET", params)).must_be(404)


@check("list")
async def list_ids(lrs: Lrs, resource: Resource) -> None:
    """Without the name of a document, the names of all are answered"""
    owner = resource.make_owner()
    names = [make_id(), f"ä/?&=+ {make_id()}"]
    for name in names:
        (await resource.send(lrs, "POST", owner | {resource.name: name}, {"a": 1})).must_be(204)
    said = await resource.send(lrs, "GET", owner)
    require_same(_read_names(said.json()), names, f"GET {resource.path}")
    said = await resource.send(lrs, "GET", resource.make_owner())
    said.require(said.json() == [], "there are names although there is no document")


@check("since")
async def list_since(lrs: Lrs, resource: Resource) -> None:
    """since leaves out the documents that were stored before"""
    owner = resource.make_owner()
    (await resource.send(lrs, "POST", owner | {resource.name: "one"}, {"a": 1})).must_be(204)
    await lrs.keep(statement := make())
    stored = read_time((await lrs.get(statementId=statement["id"])).object().get("stored"))
    # By the endpoint's own clock: what it stored before the statement, and what it will store in an hour.
    before, after = stored - timedelta(hours=1), stored + timedelta(hours=1)
    for moment, wanted in ((before, ["one"]), (after, [])):
        said = await resource.send(lrs, "GET", owner | {"since": moment.isoformat().replace("+00:00", "Z")})
        require_same(_read_names(said.json()), wanted, f"GET {resource.path} with since")


@check("since_invalid", "XAPI-00012")
async def since_no_time(lrs: Lrs, resource: Resource) -> None:
    """since must be a time"""
    (await resource.send(lrs, "GET", resource.make_owner() | {"since": "x"})).must_be(400)


def _read_names(found: Any) -> list[str]:
    return [str(each) for each in found] if isinstance(found, list) else ["no array"]


def _refuse(resource: Resource, method: str, params: Callable[[], dict[str, Any]]) -> Run:
    async def run(lrs: Lrs) -> None:
        body = {"a": 1} if method in ("PUT", "POST") else b""
        (await resource.send(lrs, method, params(), body)).must_be(400)

    return run


def _without(resource: Resource, name: str) -> Callable[[], dict[str, Any]]:
    return lambda: {key: value for key, value in resource.make_params().items() if key != name}


def _with(resource: Resource, **changes: Any) -> Callable[[], dict[str, Any]]:
    return lambda: resource.make_params() | changes


for _resource in RESOURCES:
    for _method in METHODS:
        for _name in (*_resource.owner, _resource.name):
            if _name == _resource.name and (_method == "GET" or (_resource is STATE and _method == "DELETE")):
                continue  # then all of them are meant
            _ids = _resource.id_of(f"without_{_name}_{_method}")
            _run = _refuse(_resource, _method, _without(_resource, _name))
            check.add(_resource, _run, f"{_method} needs {_name} ({_resource.path})", *_ids)
        if "agent" in _resource.owner:
            for _agent in ("no JSON", {"name": "nobody"}):
                _run = _refuse(_resource, _method, _with(_resource, agent=_agent))
                _title = f"{_method} needs an agent that is one ({_resource.path})"
                check.add(_resource, _run, _title, *_resource.id_of(f"agent_{_method}"))
        if _resource is STATE:
            _run = _refuse(_resource, _method, _with(_resource, registration="no UUID"))
            _title = f"{_method} needs a registration that is a UUID ({_resource.path})"
            check.add(_resource, _run, _title, *_resource.id_of(f"registration_{_method}"))


async def clear(lrs: Lrs) -> None:
    """Delete all states of an owner."""
    owner, other = STATE.make_owner(), STATE.make_params()
    for params in (owner | {"stateId": "one"}, owner | {"stateId": "two"}, other):
        (await STATE.send(lrs, "POST", params, {"a": 1})).must_be(204)
    (await STATE.send(lrs, "DELETE", owner)).must_be(204)
    said = await STATE.send(lrs, "GET", owner)
    said.require(said.json() == [], "some states are still there")
    (await STATE.send(lrs, "GET", other)).must_be(200)


async def keep_apart(lrs: Lrs) -> None:
    """States of a registration and of none are not the same."""
    params, registration = STATE.make_params(), make_id()
    (await STATE.send(lrs, "PUT", params | {"registration": registration}, {"a": 1}, If_None_Match="*")).must_be(204)
    (await STATE.send(lrs, "POST", params, {"b": 1})).must_be(204)
    said = await STATE.send(lrs, "GET", params | {"registration": registration})
    said.require(said.json() == {"a": 1}, "states of a registration and of none were mixed")
    (await STATE.send(lrs, "DELETE", params | {"registration": registration})).must_be(204)
    said = await STATE.send(lrs, "GET", params)
    said.require(said.json() == {"b": 1}, "a state without registration went with one that has it")


check.add(STATE, clear, "DELETE without stateId deletes all states of an owner", *STATE.id_of("clear"))
check.add(STATE, keep_apart, "States of different registrations are kept apart", *STATE.id_of("registration"))
