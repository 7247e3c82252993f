"""Both indexes, each for the tests of a module."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from fyr.core.testing.elasticsearch import ElasticsearchServer
from fyr.search.reporting.elasticsearch import ElasticsearchIndex
from fyr.search.reporting.embedded import EmbeddedIndex

from .filling import Filled


@pytest.fixture(scope="module", params=["embedded", "elasticsearch"])
def filled(request: pytest.FixtureRequest) -> Iterator[Filled]:
    with ExitStack() as stack:
        if request.param == "embedded":
            embedded = EmbeddedIndex(None)
            stack.callback(embedded.close)
            yield Filled(embedded)
        else:
            server: ElasticsearchServer = request.getfixturevalue("elasticsearch")
            elastic = ElasticsearchIndex(
                server.url, prefix=server.new_prefix(), replicas=0
            )
            stack.callback(elastic.close)
            yield Filled(elastic)
