"""The plugin contract: specifications, loading, order, isolation, timing.

What a hook promises is in :mod:`fyr.core.hooks.specs`; plugin authors import what
they need from :mod:`fyr.core`.
"""
