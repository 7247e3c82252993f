"""The FHIR server; knows no API area by name. Plugins import what is named here."""

__version__ = "0.1.0"
