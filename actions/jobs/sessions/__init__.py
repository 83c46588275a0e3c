"""Jobs that change stored sessions."""
