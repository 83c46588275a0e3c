"""Facts about reports."""
