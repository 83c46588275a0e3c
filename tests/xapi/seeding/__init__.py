"""Made-up statements."""
