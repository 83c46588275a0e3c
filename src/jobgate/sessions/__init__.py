"""Sessions as a whole: how they come in, how they are stored, and how they are read page by page.

`entries` is what callers send, `drafts` what jobs and imports store, `creation` stores, `imports` loads files; `pages`
finds sessions, `reading` reads them, `records` shows them. What changes a single column is `session_updates`.
"""

from jobgate.sessions.imports import ImportReport, import_sessions, read_line

__all__ = ["ImportReport", "import_sessions", "read_line"]
