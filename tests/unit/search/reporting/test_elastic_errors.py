"""What Elasticsearch answers, in the words of a caller."""

import pytest
from elastic_transport import ApiResponseMeta, HttpHeaders, NodeConfig
from elasticsearch import ApiError

from fyr.core.errors import TookTooLong, Unavailable
from fyr.search.reporting.elastic_errors import in_our_words


def refused(status: int, *reasons: str) -> ApiError:
    """Make an answer of shards that failed, in the shape of Elasticsearch 8."""
    node = NodeConfig("http", "127.0.0.1", 9200)
    meta = ApiResponseMeta(status, "1.1", HttpHeaders(), 0.1, node)
    kind = "search_phase_execution_exception"
    causes = [{"type": "query_phase_execution_exception", "reason": r} for r in reasons]
    body = {
        "error": {"type": kind, "reason": "all shards failed", "root_cause": causes}
    }
    return ApiError(kind, meta, body)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refused(504, "Time exceeded"), TookTooLong),
        (refused(429, "Time exceeded"), TookTooLong),
        (refused(503, "no shard is there"), Unavailable),
        (refused(503), Unavailable),
    ],
)
def test_a_shard_that_ran_out_of_time_is_told_from_one_that_is_away(
    answer: ApiError, expected: type[Exception]
) -> None:
    with pytest.raises(expected), in_our_words():
        raise answer
