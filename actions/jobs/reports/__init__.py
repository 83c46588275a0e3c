"""Jobs that compile reports."""
