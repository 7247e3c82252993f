"""What demands ask of devices, and of what is about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fyr.plugins.access_control.decisions.before import is_written_here, replaced
from fyr.plugins.access_control.decisions.cases import element_of
from fyr.plugins.access_control.decisions.contexts import CODES
from fyr.plugins.access_control.decisions.lookups import (
    device_of,
    is_free,
    is_handed_to,
    is_privately_owned,
    statements_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fyr.core import Resource
    from fyr.plugins.access_control.decisions.cases import ResourceCase


def _device(case: ResourceCase) -> Resource:
    """Give the device; a resource whose device is not kept here is nobody's."""
    found = device_of(case)
    if found is None:
        raise CODES["SECURITY_RESOURCE_NOT_MATCHING_TOKEN_CONTEXT"].error(
            f"{case.subject.type}, by its device"
        )
    return found


def _is_owned(case: ResourceCase, device: Resource) -> bool:
    owners = element_of(device, "organization")
    return is_privately_owned(device) or case.caller.organization in owners


def _owned(case: ResourceCase) -> None:
    if not _is_owned(case, _device(case)):
        raise _wrong_organization(case)


def _wrong_organization(case: ResourceCase) -> Exception:
    if case.subject.type == "DeviceMetric":
        return CODES["DEVICE_METRIC_WRITE_WRONG_ORGANIZATION_CONTEXT"].error()
    if case.subject.type == "DeviceUseStatement":
        return CODES["DEVICE_USE_STATEMENT_WRITE_WRONG_ORGANIZATION_CONTEXT"].error()
    return CODES["DEVICE_WRITE_WRONG_ORGANIZATION_CONTEXT"].error()


def _writable(case: ResourceCase) -> None:
    _owned(case)
    caller, device = case.caller, _device(case)
    if caller.patient and not is_handed_to(case.look, device, caller.patient):
        if not is_free(case.look, device):
            raise CODES["DEVICE_WRITE_WRONG_PATIENT_CONTEXT"].error()


def _readable(case: ResourceCase) -> None:
    caller, device = case.caller, _device(case)
    if not caller.patient:
        _owned(case)
    elif not is_handed_to(case.look, device, caller.patient):
        raise CODES["DEVICE_WRONG_PATIENT_CONTEXT"].error()


def _mine_or_free(case: ResourceCase) -> None:
    device = _device(case)
    if not is_handed_to(case.look, device, case.caller.patient):
        if not is_free(case.look, device):
            raise CODES["DEVICE_WRONG_PATIENT_CONTEXT"].error()


def _handable(case: ResourceCase) -> None:
    """Let a device be handed out, by what was known of it before.

    Whoever may read a device by a statement must not make that statement: a privately
    owned one goes to nobody but whom it is with, or to the first.
    """
    if case.use != "new":
        return
    device, caller = _device(case), case.caller
    if not is_privately_owned(device):
        return
    itself = f"DeviceUseStatement/{case.subject.id}"
    others = statements_of(case.look, device) - {itself}
    theirs = statements_of(case.look, device, caller.patient) - {itself}
    before = {one for one in theirs if not is_written_here(case, one)}
    if others and not before and not _is_with_it(case, device):
        raise CODES["DEVICE_WRONG_PATIENT_CONTEXT"].error()


def _is_with_it(case: ResourceCase, device: Resource) -> bool:
    """Whether the statement was about the same device before it was changed."""
    old = replaced(case)
    return old is not None and element_of(old, "device") == {
        f"Device/{device.get('id')}"
    }


def _privately_owned(case: ResourceCase) -> None:
    if not is_privately_owned(_device(case)):
        raise CODES["DEVICE_WRITE_NON_PRIVATELY_OWNED"].error()


#: demand -> what it asks of a device, or of what is about one
ON_DEVICE: Mapping[str, Callable[[ResourceCase], None]] = {
    "device-handable": _handable,
    "device-mine-or-free": _mine_or_free,
    "device-owned": _owned,
    "device-readable": _readable,
    "device-writable": _writable,
    "privately-owned": _privately_owned,
}
