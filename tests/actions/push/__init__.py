"""Facts about the endpoints below `push`."""
