"""Facts about the item bank: what sessions take from it, and how it meets the official client."""
