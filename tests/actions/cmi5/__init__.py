"""Tests of the endpoints below cmi5."""
