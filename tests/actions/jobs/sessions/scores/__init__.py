"""Facts about `jobs/sessions/scores`."""
