"""The embedded servers start as anybody, keep their data to themselves, and outlive nobody."""
