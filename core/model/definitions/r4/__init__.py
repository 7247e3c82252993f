"""FHIR R4's types as data, one file each; written by ``tools/build_definitions.py``."""
