"""The URL tree: the file `actions/a/b.py` answers `POST /{version}/a/b`."""
