"""Whether an endpoint keeps the xAPI standard: requirements, statements that it must accept or refuse, HTTP checks."""
