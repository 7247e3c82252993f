"""Who is who in the tests of the development issuer."""

BASE = "http://localhost/fhir"


REALM = "/dev/realms/ehealth"


TEAM = "https://organization.example.org/fhir/CareTeam/1"


ORGANIZATION = "https://organization.example.org/fhir/Organization/1"


PATIENT = "https://patient.example.org/fhir/Patient/1"


EPISODE = "https://careplan.example.org/fhir/EpisodeOfCare/1"
