"""Learners' sessions: store them, read them page by page."""
