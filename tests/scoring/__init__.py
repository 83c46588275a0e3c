"""Facts about the scoring rules."""
