"""Facts about the endpoints below `itembank`."""
