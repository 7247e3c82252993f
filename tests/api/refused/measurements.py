"""Changes of what was submitted that rules refuse."""

from __future__ import annotations

from ..spoiling import Body, concept, drop, of_episode, put, to
from .submissions import IDENTIFIED, MEDIA, OBSERVATION, RESPONSE
from .writes import ALL, RULE, Writes


def submitted(made: Body) -> Body:
    return {**made, **IDENTIFIED[made["resourceType"]], "id": "1"}


SUBMITTED = Writes(
    "measurement",
    submitted(OBSERVATION),
    "patch",
    ALL,
    is_created=False,
    any={
        "of another value": (put("valueQuantity", "value", 98), RULE),
        "of another code": (put("code", concept("NPU03804")), RULE),
        "of nobody": (drop("subject"), RULE),
        "of another episode": (
            put("extension", 0, of_episode("EpisodeOfCare/2")),
            RULE,
        ),
        "that was never submitted": (drop("identifier"), RULE),
    },
)


ANSWERS = Writes(
    "measurement",
    submitted(RESPONSE),
    "update",
    ALL,
    is_created=False,
    any={
        "of another answer": (put("item", 0, "answer", 0, "valueInteger", 2), RULE),
        "of another source": (put("source", to("Patient/2")), RULE),
        "in progress again": (put("status", "in-progress"), RULE),
        "of no episode": (drop("extension"), RULE),
    },
)


PICTURE = Writes(
    "measurement",
    submitted({**MEDIA, "content": {"contentType": "image/png", "url": "urn:x"}}),
    "update",
    ALL,
    is_created=False,
    any={
        "of another content": (put("content", "url", "urn:y"), RULE),
        "of nobody": (drop("subject"), RULE),
        "of another episode": (
            put("extension", 0, of_episode("EpisodeOfCare/2")),
            RULE,
        ),
    },
)
