"""Tests of definitions, their ticks and their executions."""
