"""Maths answers: whether what a learner typed meets what the author asked for."""
