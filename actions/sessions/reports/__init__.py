"""What is reported of sessions."""
