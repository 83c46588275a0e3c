"""The servers that `dev` and the tests start: nothing needs to be installed beforehand.

    DATA/lock                     held by the owner, so that nobody else uses the folder
    DATA/servers.lock             held by the owner and its servers, so that a new start waits for the last of them
    DATA/postgres, DATA/valkey    their files
    DATA/postgres.log, …          what they said since the last start
    DATA/place                    as root, when `nobody` cannot enter DATA: where all but `lock` is instead

`servers` starts and stops them, `child` sees that none outlives us, `places` decides where their files
are and who owns them, `programs` finds what to run, `postgres` and `valkey` know how.
"""

from jobgate.embedded.child import Child
from jobgate.embedded.places import EmbeddedError
from jobgate.embedded.servers import Servers, start_scratch_servers, start_servers

__all__ = ["Child", "EmbeddedError", "Servers", "start_scratch_servers", "start_servers"]
