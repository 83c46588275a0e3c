"""Facts about jobs that compile reports."""
