"""Facts about the endpoints below `sessions/reports`."""
