"""What a user might add."""
