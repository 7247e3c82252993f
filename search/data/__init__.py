"""Definitions of R4, as the ``build_…`` scripts in ``tools/`` write them."""
