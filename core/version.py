"""The version of the core, which plugins name in their manifests."""

__version__ = "0.1.0"
