"""Datasets: uploaded lines say who belongs to which group, compilation adds up what they scored."""
