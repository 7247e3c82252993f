"""The services of this area, a file each; read by :mod:`fyr.core.declared`."""
