"""xAPI data: stores, and what is kept in them."""
