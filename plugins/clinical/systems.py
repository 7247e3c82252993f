"""Code systems and policies of the Danish guide that several rooms go by."""

from __future__ import annotations

from typing import Final

#: Policy of the Provenance by which the server says what was submitted together.
COHERENT: Final = (
    "http://ehealth.sundhed.dk/policy/ehealth/coherent-submitted-measurement"
)
#: Of part ``type`` of the extension resolved-timing.
TIMING_TYPES: Final = "http://ehealth.sundhed.dk/cs/resolved-timing-type"
