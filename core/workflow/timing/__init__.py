"""When a request is to happen: ``occurrence[x]``, checked and expanded to slots.

https://hl7.org/fhir/R4/datatypes.html#Timing, of which the Danish telemedicine guide uses
a part: http://ehealth.sundhed.dk/fhir/StructureDefinition/ehealth-servicerequest. All of
it is pure: the zone and the window are passed in, and no clock is read.
"""

from fyr.core.workflow.timing.checking import problems
from fyr.core.workflow.timing.expanding import Slot, slots, slots_from, slots_starting
from fyr.core.workflow.timing.moments import first_of, last_of, later
from fyr.core.workflow.timing.occurrence import Kind, Occurrence, occurrence_of
from fyr.core.workflow.timing.reading import DANISH, LAST, moment_of, months_later

__all__ = [
    "DANISH",
    "LAST",
    "Kind",
    "Occurrence",
    "Slot",
    "first_of",
    "last_of",
    "later",
    "moment_of",
    "months_later",
    "occurrence_of",
    "problems",
    "slots",
    "slots_from",
    "slots_starting",
]
