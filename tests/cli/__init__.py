"""The commands, run as somebody types them."""
