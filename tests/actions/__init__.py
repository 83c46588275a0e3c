"""Facts about the shipped actions; the tree mirrors theirs."""
