"""Facts about `jobs/sessions`."""
