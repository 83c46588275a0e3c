"""Tests of `jobgate.xapi`."""
