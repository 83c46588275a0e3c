"""The endpoint of the chaos runs."""
