"""Scoring: pure rules from stored answers to scores; one noun per file."""
