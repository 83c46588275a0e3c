"""Facts about `jobs` and what lies below it."""
