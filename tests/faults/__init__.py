"""Every fault of the catalogue once, seeded, on real processes: what must be true afterwards, never how fast."""
