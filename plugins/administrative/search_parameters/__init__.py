"""The search parameters of this area's services beyond R4; read by :mod:`fyr.core.declared`."""
