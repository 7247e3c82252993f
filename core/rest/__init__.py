"""FHIR over HTTP, by Falcon: bytes and headers in, bytes and headers out."""
