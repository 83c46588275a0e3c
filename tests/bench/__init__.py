"""Tests of `jobgate.bench`."""
