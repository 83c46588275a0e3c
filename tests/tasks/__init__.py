"""Facts about the shipped tasks."""
