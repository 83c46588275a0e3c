"""A user's own tasks."""
