"""Where an Elasticsearch is looked for, by the URL that the settings name."""

import pytest

from fyr.config.reporting import ReportingSettings
from fyr.search.reporting.elasticsearch import ElasticsearchIndex


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://es.example.org", "https://es.example.org:443"),
        ("http://es.example.org", "http://es.example.org:80"),
        ("https://es.example.org/", "https://es.example.org:443"),
        ("https://es.example.org/es/fyr", "https://es.example.org:443/es/fyr"),
        ("https://es.example.org:9200/es", "https://es.example.org:9200/es"),
        ("https://es.example.org:", "https://es.example.org:443"),
        ("http://[2001:db8::7]", "http://[2001:db8::7]:80"),
        ("http://[2001:db8::7]:9200", "http://[2001:db8::7]:9200"),
    ],
)
def test_without_a_port_it_is_that_of_the_scheme(url: str, asked: str) -> None:
    index = ElasticsearchIndex(ReportingSettings(url=url).url)

    (node,) = index.client.transport.node_pool.all()
    index.close()

    assert node.base_url == asked


@pytest.mark.parametrize(
    "url",
    [
        "https://es.example.org:port",
        "https://es.example.org:99999",
        "https://[es",
        "https://:9200",
    ],
)
def test_a_url_that_leads_nowhere_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        ReportingSettings(url=url)
