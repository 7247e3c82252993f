"""The FHIR server; knows no API area by name. Plugins import what is named here.

Each name is imported when it is asked for, so that a plugin of one hook pays for one.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fyr.core.version import __version__

if TYPE_CHECKING:
    from fyr.core.blobs import Blob as Blob
    from fyr.core.blobs import Blobs as Blobs
    from fyr.core.blobs.port import BlobMissing as BlobMissing
    from fyr.core.blobs.port import BlobStore as BlobStore
    from fyr.core.blobs.port import Listed as Listed
    from fyr.core.blobs.spool import Spooled as Spooled
    from fyr.core.clock import Clock as Clock
    from fyr.core.clock import from_millis as from_millis
    from fyr.core.clock import instant as instant
    from fyr.core.clock import to_millis as to_millis
    from fyr.core.context import Principal as Principal
    from fyr.core.context import RequestContext as RequestContext
    from fyr.core.context import Touched as Touched
    from fyr.core.declarations.deprecation import Deprecation as Deprecation
    from fyr.core.declarations.operations import Operation as Operation
    from fyr.core.declarations.operations import OperationCall as OperationCall
    from fyr.core.declarations.operations import (
        OperationParameter as OperationParameter,
    )
    from fyr.core.declarations.operations import Reply as Reply
    from fyr.core.declarations.projections import Column as Column
    from fyr.core.declarations.projections import Projection as Projection
    from fyr.core.declarations.routes import Allow as Allow
    from fyr.core.declarations.routes import Route as Route
    from fyr.core.declarations.services import Service as Service
    from fyr.core.declarations.services import TypeRules as TypeRules
    from fyr.core.errors import Conflict as Conflict
    from fyr.core.errors import Forbidden as Forbidden
    from fyr.core.errors import FyrError as FyrError
    from fyr.core.errors import Gone as Gone
    from fyr.core.errors import Invalid as Invalid
    from fyr.core.errors import Issue as Issue
    from fyr.core.errors import NotAcceptable as NotAcceptable
    from fyr.core.errors import NotFound as NotFound
    from fyr.core.errors import NotSupported as NotSupported
    from fyr.core.errors import PreconditionFailed as PreconditionFailed
    from fyr.core.errors import PreconditionRequired as PreconditionRequired
    from fyr.core.errors import Refused as Refused
    from fyr.core.errors import TooLarge as TooLarge
    from fyr.core.errors import TooManyRequests as TooManyRequests
    from fyr.core.errors import Unauthenticated as Unauthenticated
    from fyr.core.errors import Unavailable as Unavailable
    from fyr.core.errors import UnsupportedMediaType as UnsupportedMediaType
    from fyr.core.errors.catalogue import ErrorCode as ErrorCode
    from fyr.core.errors.catalogue import broken_rule as broken_rule
    from fyr.core.errors.catalogue import read_error_codes as read_error_codes
    from fyr.core.errors.plugins import PluginError as PluginError
    from fyr.core.events import Change as Change
    from fyr.core.events import Consumer as Consumer
    from fyr.core.hooks.application import Application as Application
    from fyr.core.hooks.markers import hookimpl as hookimpl
    from fyr.core.hooks.plugin import Manifest as Manifest
    from fyr.core.hooks.plugin import Plugin as Plugin
    from fyr.core.hooks.plugin import PluginSettings as PluginSettings
    from fyr.core.hooks.values.kept import KeptContent as KeptContent
    from fyr.core.hooks.values.persons import RegisteredPerson as RegisteredPerson
    from fyr.core.hooks.values.rules import RuleFinding as RuleFinding
    from fyr.core.hooks.values.rules import RuleInput as RuleInput
    from fyr.core.hooks.values.rules import RuleLimits as RuleLimits
    from fyr.core.hooks.values.rules import RuleOutcome as RuleOutcome
    from fyr.core.hooks.values.rules import RuleProblem as RuleProblem
    from fyr.core.hooks.values.subjects import Failing as Failing
    from fyr.core.hooks.values.subjects import Look as Look
    from fyr.core.hooks.values.subjects import Subject as Subject
    from fyr.core.hooks.values.subjects import Use as Use
    from fyr.core.hosts import network_of as network_of
    from fyr.core.interactions.acting import Acting as Acting
    from fyr.core.jobs import Job as Job
    from fyr.core.jobs import JobContext as JobContext
    from fyr.core.messages import Message as Message
    from fyr.core.messages import MessageKind as MessageKind
    from fyr.core.messages import MessageSource as MessageSource
    from fyr.core.model.resource import Resource as Resource
    from fyr.core.observability.metrics import Reading as Reading
    from fyr.core.outgoing import Away as Away
    from fyr.core.outgoing import Dropped as Dropped
    from fyr.core.outgoing import Outgoing as Outgoing
    from fyr.core.outgoing import Sender as Sender
    from fyr.core.outgoing import SendFailed as SendFailed
    from fyr.core.outgoing import Undeliverable as Undeliverable
    from fyr.core.pictures.kinds import PICTURE_TYPES as PICTURE_TYPES
    from fyr.core.pictures.kinds import picture_kind as picture_kind
    from fyr.core.pictures.kinds import refuse_telling as refuse_telling
    from fyr.core.pictures.writing import picture_size as picture_size
    from fyr.core.pictures.writing import small_picture as small_picture
    from fyr.core.pictures.writing import stripped_picture as stripped_picture
    from fyr.core.rest.blob_content import give_content as give_content
    from fyr.core.rest.exchange import Request as Request
    from fyr.core.rest.exchange import Response as Response
    from fyr.core.sealing import Sealer as Sealer
    from fyr.core.searching import SearchAsked as SearchAsked
    from fyr.core.store.port import Session as Session
    from fyr.core.streams import Stream as Stream
    from fyr.core.streams import StreamItem as StreamItem
    from fyr.core.streams import StreamListener as StreamListener
    from fyr.core.workflow import ANYBODY as ANYBODY
    from fyr.core.workflow import Fired as Fired
    from fyr.core.workflow import History as History
    from fyr.core.workflow import Machine as Machine
    from fyr.core.workflow import Planned as Planned
    from fyr.core.workflow import Schedule as Schedule
    from fyr.core.workflow import Step as Step
    from fyr.core.workflow import Timer as Timer
    from fyr.core.workflow import Timers as Timers
    from fyr.core.workflow import Transition as Transition
    from fyr.core.workflow import planned as planned
    from fyr.core.workflow import refuses as refuses

#: module -> the names that plugins import from here
_HOMES = {
    "interactions.acting": "Acting",
    "blobs": "Blob Blobs",
    "blobs.port": "BlobMissing BlobStore Listed",
    "blobs.spool": "Spooled",
    "clock": "Clock from_millis instant to_millis",
    "context": "Principal RequestContext Touched",
    "declarations.deprecation": "Deprecation",
    "errors.catalogue": "ErrorCode broken_rule read_error_codes",
    "errors": (
        "Conflict Forbidden FyrError Gone Invalid Issue"
        " NotAcceptable NotFound NotSupported PreconditionFailed PreconditionRequired Refused"
        " TooLarge TooManyRequests Unauthenticated Unavailable UnsupportedMediaType"
    ),
    "events": "Change Consumer",
    "hooks.application": "Application",
    "errors.plugins": "PluginError",
    "hooks.markers": "hookimpl",
    "hooks.plugin": "Manifest Plugin PluginSettings",
    "hosts": "network_of",
    "jobs": "Job JobContext",
    "messages": "Message MessageKind MessageSource",
    "observability.metrics": "Reading",
    "model.resource": "Resource",
    "hooks.values.kept": "KeptContent",
    "hooks.values.persons": "RegisteredPerson",
    "pictures.kinds": "PICTURE_TYPES picture_kind refuse_telling",
    "pictures.writing": "picture_size small_picture stripped_picture",
    "declarations.projections": "Column Projection",
    "outgoing": "Away Dropped Outgoing Sender SendFailed Undeliverable",
    "declarations.operations": "Operation OperationCall OperationParameter Reply",
    "rest.blob_content": "give_content",
    "rest.exchange": "Request Response",
    "declarations.routes": "Allow Route",
    "hooks.values.rules": "RuleFinding RuleInput RuleLimits RuleOutcome RuleProblem",
    "sealing": "Sealer",
    "searching": "SearchAsked",
    "declarations.services": "Service TypeRules",
    "store.port": "Session",
    "streams": "Stream StreamItem StreamListener",
    "hooks.values.subjects": "Failing Look Subject Use",
    "workflow": (
        "ANYBODY Fired History Machine Planned Schedule Step Timer Timers Transition"
        " planned refuses"
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = ["__version__", *_HOME_OF]


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value
