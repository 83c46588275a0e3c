"""Made-up statements: any number of them, the same to the byte wherever and whenever they are made. Pure.

`configuration` says what may be asked for, `library` finds it by name, `families` make whom and what statements are
about, `statements` puts them together.
"""

from jobgate.xapi.seeding.configuration import Misconfigured, Seeding, read_seeding
from jobgate.xapi.seeding.library import NAME, find_seeding, list_seedings
from jobgate.xapi.seeding.statements import Sower

__all__ = ["NAME", "Misconfigured", "Seeding", "Sower", "find_seeding", "list_seedings", "read_seeding"]
