"""The tasks of the chaos runs."""
