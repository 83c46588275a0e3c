"""Reports: what is compiled from many sessions."""
