"""The checks that validation is made of, each compiled once for its type."""
