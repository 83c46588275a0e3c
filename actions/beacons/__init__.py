"""Remote boxes that pick up jobs."""
