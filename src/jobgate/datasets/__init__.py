"""Datasets: uploaded lines say who belongs to which group, compilation adds up what they scored.

Per user and activity the latest completed attempt counts. A group's statistics are over the users in it and below it,
each once, and are those of a whole population: `stddev_pop`, percentiles by interpolation. Users without an attempt
count in `population` and `mean_seen_activities` only.
"""
