"""Whether an endpoint keeps the standard."""
