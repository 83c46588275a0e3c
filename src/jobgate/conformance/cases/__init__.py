"""What every rule accepts and refuses, as changes to `samples.FULL`. Data only; by sections of the standard."""

from jobgate.conformance.cases.actors import ACTORS
from jobgate.conformance.cases.contexts import CONTEXTS
from jobgate.conformance.cases.edits import BOTH, GONE, Apart, Cases, Edit, edit
from jobgate.conformance.cases.formatting import FORMATTING
from jobgate.conformance.cases.objects import OBJECTS
from jobgate.conformance.cases.records import APART, RECORDS
from jobgate.conformance.cases.results import RESULTS
from jobgate.xapi.rules import Rule

__all__ = ["APART", "BOTH", "CASES", "GONE", "Apart", "Cases", "Edit", "edit"]

CASES: dict[Rule, Cases] = {**FORMATTING, **ACTORS, **OBJECTS, **RESULTS, **CONTEXTS, **RECORDS}
