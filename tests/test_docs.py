"""The documentation is complete: every setting, code, metric and log event stands in it."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from jobgate.errors import Code
from jobgate.metrics import Metrics
from jobgate.settings import PREFIX, Settings
from jobgate.stores.options import EntryOptions

ROOT = Path(__file__).parent.parent
OPERATING = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
XAPI = (ROOT / "docs" / "xapi.md").read_text(encoding="utf-8")
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("field", msgspec.structs.fields(Settings), ids=lambda field: field.name)
def test_a_setting_is_documented_with_its_default(field: msgspec.structs.FieldInfo) -> None:
    row = re.search(rf"^\| `{PREFIX}{field.name.upper()}` \| ([^|]*) \|", OPERATING, re.MULTILINE)

    assert row is not None
    default = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    assert row[1].strip().strip("`").replace(" ", "") in (default, f"{default}.0", default.removesuffix(".0"))


def test_every_option_of_the_pipeline_is_documented() -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \|$", XAPI, re.MULTILINE)

    assert set(EntryOptions.__struct_fields__) - {"authority_name", "authority_homepage"} <= set(rows)


@pytest.mark.parametrize("code", list(Code), ids=lambda code: code.name)
def test_a_code_is_documented(code: Code) -> None:
    assert f"| {code.number} | {code.status} | {code.name} | {code.advice} |" in PROTOCOL


def test_every_metric_is_documented() -> None:
    names = {metric.name for metric in Metrics().registry.collect()}
    own = {name for name in names if not name.startswith(("process_", "python_"))}

    assert {name for name in own if f"`{name}" not in OPERATING} == set()


def test_every_log_event_is_documented() -> None:
    events = set()
    for file in (ROOT / "src" / "jobgate").rglob("*.py"):
        events |= set(re.findall(r'log\.(?:event|failure)\(\s*\w+,\s*"([a-z_.]+)"', file.read_text(encoding="utf-8")))

    assert len(events) > 10
    assert {event for event in events if f"`{event}`" not in OPERATING} == set()
