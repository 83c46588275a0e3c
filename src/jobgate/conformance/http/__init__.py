"""What an endpoint must do over HTTP, resource by resource."""

from jobgate.conformance.checks import Check
from jobgate.conformance.http.catalogue import CATALOGUE
from jobgate.conformance.http.concurrency import CONCURRENCY
from jobgate.conformance.http.contents import CONTENTS
from jobgate.conformance.http.documents import DOCUMENTS
from jobgate.conformance.http.filters import FILTERS
from jobgate.conformance.http.pages import PAGES
from jobgate.conformance.http.protocol import PROTOCOL
from jobgate.conformance.http.reading import READING
from jobgate.conformance.http.signatures import SIGNATURES
from jobgate.conformance.http.voiding import VOIDING
from jobgate.conformance.http.writing import WRITING

HTTP: list[Check] = [
    check
    for chapter in (
        PROTOCOL,
        WRITING,
        READING,
        FILTERS,
        PAGES,
        VOIDING,
        CONTENTS,
        SIGNATURES,
        DOCUMENTS,
        CONCURRENCY,
        CATALOGUE,
    )
    for check in chapter.checks
]
