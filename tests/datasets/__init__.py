"""Facts about datasets: files, compilation, results."""
