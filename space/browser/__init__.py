"""The page in the visitor's own browser: a folder of files, no server behind it. `python -m space.static` makes it."""
