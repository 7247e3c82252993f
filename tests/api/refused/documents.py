"""Writes of DocumentReferences that rules refuse: of material, and of what is shared."""

from __future__ import annotations

from ..guide import CS, EHEALTH
from ..spoiling import concept, drop, put, to
from .writes import ALL, Writes

DOCUMENT = Writes(
    "plan",
    {
        "resourceType": "DocumentReference",
        "id": "registered",
        "meta": {"profile": [f"{EHEALTH}documentreference"]},
        "status": "current",
        "category": [concept("general-material", f"{CS}material-category")],
        "content": [{"attachment": {"url": "https://example.org/1", "size": 1}}],
    },
    "update",
    ALL,
    any={
        "of a patient": (
            put("subject", to("Patient/1")),
            "DOCUMENTREFERENCE_SUBJECT_REFER_TO_PATIENT",
        ),
        "of an episode": (
            put("context", {"encounter": [to("EpisodeOfCare/1")]}),
            "DOCUMENTREFERENCE_EPISODEOFCARE_CONTEXT_ENCOUNTER",
        ),
        "of no size": (
            drop("content", 0, "attachment", "size"),
            "DOCUMENT_REFERENCE_SIZE_MUST_BE_PROVIDED_FOR_URL",
        ),
    },
    new={
        "of no content": (
            put("content", [{"attachment": {"title": "Øvelser"}}]),
            "DOCUMENT_REFERENCE_INVALID_CONTENT_ON_CREATE",
        ),
    },
    changed={
        "of no URL": (
            put("content", [{"attachment": {"title": "Øvelser"}}]),
            "DOCUMENT_REFERENCE_MISSING_URL",
        ),
        "of no category": (
            drop("category"),
            "DOCUMENT_REFERENCE_UPDATE_NOT_ALLOWED_FOR_FIELD",
        ),
    },
)
SHARED = Writes(
    "fhir",
    {
        "resourceType": "DocumentReference",
        "id": "shared",
        "meta": {"profile": [f"{EHEALTH}transformation-documentreference"]},
        "status": "current",
        "content": [{"attachment": {"title": "Målinger"}}],
    },
    "update",
    ALL,
)
