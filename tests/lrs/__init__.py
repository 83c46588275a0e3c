"""A small real LRS over HTTP for tests, built from the standard, with faults to order.

    async with serving() as lrs:                 # lrs.endpoint, lrs.username, lrs.password
        lrs.add({"actor": …})                    # as if somebody had posted it
        lrs.faults.order(faults.truncate, when="GET statements", number=2)

`http` speaks HTTP, `server` says who may ask what, and each resource of the standard has a file. Statements are judged
by the validator of jobgate; everything else stands here once more, so that tests have a second opinion.
"""

from tests.lrs.server import Lrs, serving

__all__ = ["Lrs", "serving"]
