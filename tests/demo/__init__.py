"""The demo school: who learns there, what they answer, and that a seed says it all."""
