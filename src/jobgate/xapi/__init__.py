"""xAPI: pure rules over statements; one noun per file."""
