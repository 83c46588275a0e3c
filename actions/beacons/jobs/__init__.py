"""The jobs of beacons."""
