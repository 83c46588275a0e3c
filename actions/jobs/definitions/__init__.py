"""Jobs that are saved under a name, and run when they are executed or due."""
