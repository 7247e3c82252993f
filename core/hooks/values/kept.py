"""What is kept behind a URL beside the FHIR services: the words of ``look_up_content``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KeptContent:
    """A URL of this server, and whose the content is that it leads to."""

    #: ``False``: the URL is of here, and leads to nothing
    there: bool
    #: reference as resources have them (``Patient/1``); empty: it is for everybody
    patient: str = ""
    #: the same of the EpisodeOfCare
    episode: str = ""
