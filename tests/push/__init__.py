"""Facts about push: what is announced, how it is sent, and what becomes of it."""
