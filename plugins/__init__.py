"""API areas, and what stands beside FHIR: a folder each, and none imports another."""
