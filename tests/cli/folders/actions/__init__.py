"""A user's own endpoints."""
