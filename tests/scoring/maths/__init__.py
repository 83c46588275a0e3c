"""Typed maths: what is read, what is equal to what, and what hostile input costs."""
