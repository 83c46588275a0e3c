"""About the school."""
