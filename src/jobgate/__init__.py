"""jobgate: a signed POST in, a durable job row out, and the work done exactly once whatever dies in between."""

__version__ = "0.1.0"
