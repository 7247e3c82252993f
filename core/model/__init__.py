"""FHIR R4 without input and output: parsing, checks, XML, patches, FHIRPath, references."""
