"""Typed jobs: the definitions of one type, as the xAPI jobs of the source show them, under an endpoint of their own.

A type's endpoint file declares what its task takes, and nothing else:

    retention = typed_jobs("retention", Window)

`declaring` makes four actions and the logs of that, `requests` what these take, `records` and `logs` what they answer.
"""

from jobgate.typed_jobs.declaring import typed_jobs

__all__ = ["typed_jobs"]
