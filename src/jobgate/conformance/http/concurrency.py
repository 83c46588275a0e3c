"""Documents that several write: ETags, and the conditions of requests."""

from __future__ import annotations

from jobgate.conformance.checks import Chapter
from jobgate.conformance.http.resources import RESOURCES, STATE, Resource, bind
from jobgate.conformance.lrs import Lrs
from jobgate.xapi.violations import Version

CONCURRENCY = check = Chapter("Communication 3.1")

OTHER = '"1234567890123456789012345678901234567890"'
"""A tag that no document has."""


async def _expect(lrs: Lrs, resource: Resource, params: dict[str, object], content: object) -> None:
    said = await resource.send(lrs, "GET", params)
    said.require(said.json() == content, "the document is not what it should be")


async def tags(lrs: Lrs, resource: Resource) -> None:
    """A document has an ETag in quotes, which changes with it"""
    params = resource.make_params()
    (await resource.send(lrs, "PUT", params, {"a": 1}, If_None_Match="*")).must_be(204)
    said = (await resource.send(lrs, "GET", params)).must_be(200)
    first = said.header("ETag")
    said.require(first.removeprefix("W/").startswith('"') and first.endswith('"'), "the ETag is not in quotes")
    (await resource.send(lrs, "PUT", params, {"a": 2}, If_Match=first)).must_be(204)
    said = (await resource.send(lrs, "GET", params)).must_be(200)
    said.require(said.header("ETag") != first, "the ETag is that of the document before")


async def none_match(lrs: Lrs, resource: Resource) -> None:
    """If-None-Match: * writes what is not there, and nothing else"""
    params = resource.make_params()
    (await resource.send(lrs, "PUT", params, {"a": 1}, If_None_Match="*")).must_be(204)
    (await resource.send(lrs, "PUT", params, {"a": 2}, If_None_Match="*")).must_be(412)
    await _expect(lrs, resource, params, {"a": 1})


async def match(lrs: Lrs, resource: Resource) -> None:
    """If-Match writes over the document that it names, and no other"""
    params = resource.make_params()
    (await resource.send(lrs, "PUT", params, {"a": 1}, If_None_Match="*")).must_be(204)
    (await resource.send(lrs, "PUT", params, {"a": 2}, If_Match=OTHER)).must_be(412)
    await _expect(lrs, resource, params, {"a": 1})
    tag = (await resource.send(lrs, "GET", params)).header("ETag")
    (await resource.send(lrs, "PUT", params, {"a": 2}, If_Match=tag)).must_be(204)
    await _expect(lrs, resource, params, {"a": 2})


async def neither(lrs: Lrs, resource: Resource) -> None:
    """A PUT over a document without a condition is a conflict"""
    params = resource.make_params()
    (await resource.send(lrs, "PUT", params, {"a": 1}, If_None_Match="*")).must_be(204)
    (await resource.send(lrs, "PUT", params, {"a": 2})).must_be(409)
    await _expect(lrs, resource, params, {"a": 1})


async def others(lrs: Lrs, resource: Resource) -> None:
    """If-Match holds for POST and DELETE too"""
    params = resource.make_params()
    (await resource.send(lrs, "PUT", params, {"a": 1}, If_None_Match="*")).must_be(204)
    (await resource.send(lrs, "POST", params, {"b": 1}, If_Match=OTHER)).must_be(412)
    (await resource.send(lrs, "DELETE", params, If_Match=OTHER)).must_be(412)
    await _expect(lrs, resource, params, {"a": 1})
    tag = (await resource.send(lrs, "GET", params)).header("ETag")
    (await resource.send(lrs, "DELETE", params, If_Match=tag)).must_be(204)


async def overwrite(lrs: Lrs, resource: Resource) -> None:
    """A PUT over a state needs no condition"""
    params = resource.make_params()
    for content in ({"a": 1}, {"b": 2}):
        (await resource.send(lrs, "PUT", params, content)).must_be(204)
    await _expect(lrs, resource, params, {"b": 2})


for _resource in RESOURCES:
    _only: Version | None = "2.0.0" if _resource is STATE else None
    for _run in (tags, none_match, match, neither):
        _title = f"{(_run.__doc__ or '').strip()} ({_resource.path})"
        check.add(bind(_run, _resource), "XAPI-00322", title=_title, only=_only)
    _title = f"{(others.__doc__ or '').strip()} ({_resource.path})"
    check.add(bind(others, _resource), "XAPI-00322", title=_title, only="2.0.0")
check.add(bind(overwrite, STATE), title=(overwrite.__doc__ or "").strip(), only="1.0.3")
