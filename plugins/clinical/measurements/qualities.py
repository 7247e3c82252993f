"""The quality of a device's measurements: told by its metric, and else unknown. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fyr.core import Resource
from fyr.core.workflow.timing import first_of
from fyr.plugins.clinical import extensions
from fyr.plugins.clinical.measurements.coded import code, codings
from fyr.plugins.clinical.measurements.coherence import (
    DEVICE_QUALITY,
    device_qualities,
)
from fyr.plugins.clinical.measurements.reuse import QUALITY_TYPES

DEVICE_QUALITIES = "http://ehealth.sundhed.dk/cs/device-measuring-quality"
_UNKNOWN = {
    "coding": [
        {"system": DEVICE_QUALITIES, "code": "unknown", "display": "Unknown quality"}
    ]
}
_KIND = {
    "coding": [
        {
            "system": QUALITY_TYPES,
            "code": DEVICE_QUALITY,
            "display": "Device Measuring Quality",
        }
    ]
}
_CALIBRATED = "calibrated"


def needs_quality(resource: Resource) -> bool:
    """Whether it says nothing of the device's quality, and should."""
    kind = resource.get("resourceType")
    return kind in ("Observation", "Media") and not device_qualities(resource)


def with_quality(
    resource: Resource, metrics: Sequence[Resource], now: datetime
) -> None:
    """Add the quality of the device, in place; places of other extensions stay right."""
    metric = metric_of(resource, metrics)
    found = quality_of(metric, now) if metric is not None else None
    quality = {
        "url": extensions.QUALITY,
        "extension": [
            {"url": "qualityType", "valueCodeableConcept": _KIND},
            {"url": "qualityCode", "valueCodeableConcept": found or _UNKNOWN},
        ],
    }
    resource.setdefault("extension", []).append(quality)


def metric_of(resource: Resource, metrics: Sequence[Resource]) -> Resource | None:
    """Tell the metric that a measurement was made by: of its code, or the only one."""
    wanted = set(codings(resource.get("code")))
    fitting = [
        one for one in metrics if not wanted.isdisjoint(codings(one.get("type")))
    ]
    found = fitting or metrics
    return found[0] if len(found) == 1 else None


def quality_of(metric: Resource, now: datetime) -> Mapping[str, Any] | None:
    """Tell the quality of a metric at a moment; ``None``: it does not tell.

    What somebody has set counts first, then that of a metric whose calibration is over,
    then the one that it began with.
    """
    told = {
        code(extensions.value_of(one, "category")): extensions.value_of(one, "value")
        for one in extensions.extensions(metric, extensions.DEVICE_METRIC_QUALITIES)
    }
    order = ["overridden", "degraded", "initial"]
    if _is_calibrated(metric, now):
        order.remove("degraded")
    found = (told[one] for one in order if one in told)
    return next((one for one in found if isinstance(one, Mapping)), None)


def _is_calibrated(metric: Resource, now: datetime) -> bool:
    """Whether no calibration is over; a metric that needs none is calibrated."""
    for one in metric.get("calibration", ()):
        expires = first_of(extensions.value_of(one, extensions.CALIBRATION_EXPIRES))
        if expires is not None and expires <= now:
            return False
        if one.get("state", _CALIBRATED) != _CALIBRATED:
            return False
    return True
