"""Facts about calls to addresses that users name."""
