"""`python -m jobgate` is `jobgate`."""

from jobgate.cli import main

if __name__ == "__main__":
    main(prog_name="jobgate")
