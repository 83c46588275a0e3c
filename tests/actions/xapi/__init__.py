"""Tests of xapi endpoints."""
