"""Tests of `sessions/responses/*`."""
