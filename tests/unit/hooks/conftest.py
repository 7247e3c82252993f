"""A request for the hooks to be asked about."""

import pytest

from fyr.core.context import RequestContext
from fyr.core.declarations.services import Service
from fyr.core.testing.applications import log_plainly


@pytest.fixture(autouse=True, scope="session")
def plain_logs() -> None:
    log_plainly()


@pytest.fixture
def context() -> RequestContext:
    service = Service("fhir", "fhir", "All", types={})
    return RequestContext(service, "update", "Patient", "1")
