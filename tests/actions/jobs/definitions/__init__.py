"""Tests of `jobs/definitions`."""
