"""Lines of files: export records, bare statements, and what is neither."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone

import msgspec
import pytest

from jobgate import wire
from jobgate.remotes.records import (
    RECORDS,
    SERVICES,
    ActivityProfileRecord,
    ActivityRecord,
    AgentProfileRecord,
    AgentRecord,
    AnyRecord,
    StatementRecord,
    StateRecord,
    Unreadable,
    read_record,
    read_statement,
    read_time,
    write_content,
    write_record,
    write_time,
)

AGENT = msgspec.Raw(b'{"mbox":"mailto:ada@school.example"}')
STORED = "2026-03-01T10:00:00.123456Z"
ID = "3f2b7c1e-6a5d-4e8f-9b0a-1c2d3e4f5a6b"

COMMON = {"id": ID, "store": "school", "stored": STORED}
DATED = COMMON | {"updated": STORED}
WHOLE: dict[type[AnyRecord], AnyRecord] = {
    StatementRecord: StatementRecord(**COMMON, pseudonymized=True, client="moodle", statement=msgspec.Raw(b'{"a":1}')),
    ActivityRecord: ActivityRecord(**DATED, activity=msgspec.Raw(b'{"id":"x:y"}')),
    AgentRecord: AgentRecord(**DATED, agent=AGENT),
    StateRecord: StateRecord(
        **DATED,  # type: ignore[arg-type]
        **write_content(b"text"),
        content_type="text/plain",
        activity_iri="x:y",
        state_id="s",
        registration=uuid.UUID(ID),
        agent=AGENT,
    ),
    AgentProfileRecord: AgentProfileRecord(**DATED, **write_content(b"\xff"), profile_id="p", agent=AGENT),  # type: ignore[arg-type]
    ActivityProfileRecord: ActivityProfileRecord(
        **DATED,  # type: ignore[arg-type]
        **write_content(b""),
        content_type="application/json",
        activity_iri="x:y",
        profile_id="p",
    ),
}

FIELDS = {
    "statements": "id pseudonymized store client stored statement",
    "activities": "id store stored updated activity",
    "agents": "id store stored updated agent",
    "states": "id activity_iri state_id registration content content_type store stored updated agent",
    "agent-profiles": "id profile_id content content_type content_encoding store stored updated agent",
    "activity-profiles": "id activity_iri profile_id content content_type store stored updated",
}


@pytest.mark.parametrize("service", SERVICES)
def test_a_record_has_the_documented_fields_and_is_read_as_it_was_written(service: str) -> None:
    kind = RECORDS[service]  # type: ignore[index]
    record = WHOLE[kind]

    line = write_record(record)

    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert wire.decode(line, dict[str, msgspec.Raw]).keys() == set(FIELDS[service].split())
    assert read_record(line, kind) == record
    assert record.stored_at == datetime(2026, 3, 1, 10, 0, 0, 123456, UTC)


def test_a_statement_may_stand_bare_in_a_record_or_in_a_dump() -> None:
    bare = b'{"id": "%s", "stored": "%s", "actor": {}, "actor": 1}' % (ID.encode(), STORED.encode())
    in_record = b'{"statement": %s, "stored": "2020-01-01T00:00:00Z", "other": [1]}' % bare

    for line in (bare, b'{"_index": "x", "_source": %s}' % bare):
        record = read_statement(line)
        assert (bytes(record.statement), record.id, record.stored) == (bare, ID, STORED)
    for line in (in_record, b'{"_source": %s}' % in_record):
        record = read_statement(line)
        assert (bytes(record.statement), record.stored) == (bare, "2020-01-01T00:00:00Z")


def test_a_bare_statement_of_wrong_types_is_left_to_the_validator() -> None:
    record = read_statement(b'{"id": 5, "stored": ["x"]}')

    assert (record.id, record.stored, record.stored_at) == (None, None, None)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"statement": {}} x', "not JSON"),
        (b"[" * 100_000, "too deep|not a record|not JSON"),
        (b'{"a":' * 100_000, "too deep|not JSON"),
        (b"[]", "not a record"),
        (b"null", "not a record"),
        (b'{"statement": {}, "pseudonymized": "yes"}', "not a record"),
        (b'{"statement": {}, "stored": 5}', "not a record"),
        (b'{"_source": 5}', "not a record"),
    ],
)
def test_what_is_no_record_of_a_statement_is_refused(line: bytes, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        read_statement(line)


def test_a_record_of_another_service_is_refused() -> None:
    with pytest.raises(Unreadable, match="not a record"):
        read_record(write_record(WHOLE[AgentRecord]), ActivityRecord)


@pytest.mark.parametrize("content", [b"", b"plain", "ü\0\n".encode(), b"\xff\x00\xfe", b'{"a":  1}', b'"quoted"'])
def test_a_document_comes_back_to_the_byte(content: bytes) -> None:
    line = wire.encode(write_content(content) | {"activity_iri": "x:y", "profile_id": "p"})

    assert read_record(line, ActivityProfileRecord).read_content() == content


def test_the_content_of_a_document_may_be_json_as_it_is() -> None:
    line = b'{"activity_iri": "x:y", "profile_id": "p", "content": {"a":  [1]}}'

    assert read_record(line, ActivityProfileRecord).read_content() == b'{"a":  [1]}'


@pytest.mark.parametrize("content", ['"a!"', '"\\ud800"'])
def test_a_content_that_cannot_be_read_is_refused(content: str) -> None:
    line = f'{{"activity_iri": "x:y", "profile_id": "p", "content_encoding": "base64", "content": {content}}}'
    with pytest.raises(Unreadable):
        read_record(line.encode(), ActivityProfileRecord).read_content()


def test_times_are_written_to_the_microsecond_and_read_as_they_come() -> None:
    moment = datetime(2026, 3, 1, 12, 0, 0, 5, timezone(timedelta(hours=2)))

    assert write_time(moment) == "2026-03-01T10:00:00.000005Z"
    assert read_time(write_time(moment)) == moment
    assert read_time("2026-03-01T10:00:00+02:00") == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert read_time("yesterday") is read_time(None) is None
