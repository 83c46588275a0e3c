"""Listeners that are told what happens to sessions, and what became of what they were told."""
