"""Jobs that calculate the scores of stored sessions anew."""
