"""What a principal may do, see and store: one table, as data, and its enforcement.

``rules/`` holds the table, ``demands.toml`` what each demand means, ``elements.toml`` where
resources say what they belong to. Why so: ``docs/decisions/access-control.md``; the whole
matrix: ``docs/access-control.md``.
"""
