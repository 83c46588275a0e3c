"""What the workers do: one file per job type."""
