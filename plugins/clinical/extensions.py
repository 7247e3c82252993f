"""The extensions that the clinical services go by, and how they are read and written.

Names are those of the Danish telemedicine guide without ``ehealth-``:
http://ehealth.sundhed.dk/fhir/StructureDefinition.
"""

from __future__ import annotations

from typing import Final

from fyr.core.model.extensions import extensions as extensions
from fyr.core.model.extensions import reference_of as reference_of
from fyr.core.model.extensions import replaced as replaced
from fyr.core.model.extensions import value as value
from fyr.core.model.extensions import value_of as value_of

_BASE: Final = "http://ehealth.sundhed.dk/fhir/StructureDefinition/"

#: On all clinical types, where R4 has no element for it.
EPISODE_OF_CARE: Final = (
    "http://hl7.org/fhir/StructureDefinition/workflow-episodeOfCare"
)
TASK_EPISODE_OF_CARE: Final = _BASE + "ehealth-task-episodeOfCare"
TASK_CARE_PLAN: Final = _BASE + "ehealth-reference-careplan"
TASK_CATEGORY: Final = _BASE + "ehealth-task-category"
TASK_RESPONSIBLE: Final = _BASE + "ehealth-task-responsible"
RESTRICTION_CATEGORY: Final = _BASE + "ehealth-restriction-category"

IMPRESSION_ASSESSOR_ORGANIZATION: Final = (
    _BASE + "ehealth-clinicalimpression-assessor-organization"
)
IMPRESSION_ASSESSOR_OTHER: Final = _BASE + "ehealth-clinicalimpression-assessor-other"
IMPRESSION_CARE_PLAN: Final = _BASE + "ehealth-clinicalimpression-careplan"
IMPRESSION_DECISION: Final = _BASE + "ehealth-clinicalimpression-decision"
IMPRESSION_DECISION_CONTEXT: Final = (
    _BASE + "ehealth-clinicalimpression-decisionContext"
)
IMPRESSION_VIEW_ITEM: Final = _BASE + "ehealth-clinicalimpression-viewInvestigationItem"
FINDING_BASIS: Final = _BASE + "ehealth-questionnaireresponse-finding-basis"
GUIDANCE_EPISODE_OF_CARE: Final = _BASE + "ehealth-guidanceresponse-episodeOfCare"

MESSAGE_ADMINISTRATIVE_STATUS: Final = _BASE + "ehealth-administrative-status"
MESSAGE_PERIOD: Final = _BASE + "ehealth-period"
MESSAGE_RECIPIENT_TEAM: Final = _BASE + "ehealth-communication-recipientCareTeam"
MESSAGE_THREAD_ID: Final = _BASE + "ehealth-thread-id"

ACTION_TRIGGER: Final = _BASE + "ehealth-actionTrigger"
#: Within an action trigger, under its own URL.
TRIGGER_CONDITION: Final = _BASE + "ehealth-triggerCondition"
BASE: Final = _BASE + "ehealth-base"
BASE_ENVIRONMENT: Final = _BASE + "ehealth-base-environment"
BASIC_STATUS: Final = _BASE + "ehealth-status"
CAREMANAGER_ORGANIZATION: Final = (
    _BASE + "ehealth-episodeofcare-caremanagerOrganization"
)
DEVICE_METRIC_QUALITIES: Final = _BASE + "ehealth-devicemetric-qualities"
CONTENT: Final = _BASE + "ehealth-content"
CALIBRATION_EXPIRES: Final = _BASE + "ehealth-devicemetric-calibrationExpires"
EFFECTIVE_PERIOD: Final = _BASE + "ehealth-effectivePeriod"
INCLUDE_AS_EXTRA: Final = _BASE + "ehealth-include-as-extra"
MEDIA_RELATED_TO: Final = _BASE + "ehealth-media-related-to"
MEDIA_SERIES_ID: Final = _BASE + "ehealth-media-series-id"
MEDIA_THUMBNAIL: Final = _BASE + "ehealth-media-thumbnail"
MEDIA_USAGE_MODE: Final = _BASE + "ehealth-media-usage-mode"
MODIFIER_ROLE: Final = _BASE + "ehealth-modifier-role"
REUSED_DATE: Final = _BASE + "ehealth-provenance-dateTimeOfReusedEntity"
PARTICIPANT: Final = _BASE + "ehealth-participant"
PREDECESSOR: Final = _BASE + "ehealth-predecessor"
QUALITY: Final = _BASE + "ehealth-quality"
QUESTIONNAIRE_IMAGE: Final = _BASE + "ehealth-questionnaire-image"
REFERENCE_RANGE: Final = _BASE + "ehealth-referenceRange"
RESOLVED_TIMING: Final = _BASE + "ehealth-resolved-timing"
REUSE_CRITERIA: Final = _BASE + "ehealth-reuseCriteria"
SHARING_APPROVAL_POLICY: Final = _BASE + "ehealth-sharingApprovalPolicy"
SHARING_POLICY: Final = _BASE + "ehealth-sharingPolicy"
TEAM_HISTORY: Final = _BASE + "ehealth-teamHistory"
TEAM_SCHEDULE: Final = _BASE + "ehealth-teamschedule"
TRIGGER_ENABLEMENT_CODE: Final = _BASE + "ehealth-trigger-enablement-code"
USE_CONTEXT: Final = _BASE + "ehealth-useContext"

CARE_PLAN_STATUS_HISTORY: Final = _BASE + "ehealth-careplan-statusHistory"
CARE_PLAN_STATUS_SCHEDULE: Final = _BASE + "ehealth-careplan-statusschedule"
EPISODE_STATUS_SCHEDULE: Final = _BASE + "ehealth-episodeofcare-statusschedule"
SERVICE_REQUEST_STATUS_HISTORY: Final = _BASE + "ehealth-servicerequest-statusHistory"
SERVICE_REQUEST_STATUS_SCHEDULE: Final = _BASE + "ehealth-servicerequest-statusSchedule"
