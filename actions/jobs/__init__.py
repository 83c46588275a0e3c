"""Long-running jobs: start them, watch them, cancel and requeue them."""
