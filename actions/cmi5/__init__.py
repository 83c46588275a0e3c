"""What learning platforms need to launch content that speaks cmi5."""
