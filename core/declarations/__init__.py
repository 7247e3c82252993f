"""What plugins declare: services, operations, routes, projections, and what will go.

Each is a value that says what there is, without doing it: hooks collect them at start, and
capability statements, checks and pages are made from them. Those that are lists of names
are read from TOML files.
"""
