"""What is posted to ``_search`` stays out of the logs, that of the next page's URL too."""

from urllib.parse import urlencode

import pytest

CPR = "0101501234"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture
def fyr_options(fyr_options):
    return {
        **fyr_options,
        "log": {"level": "debug"},
        "server": {"access_log": True},
        "search": {"slow_millis": 1},
    }


@pytest.mark.parametrize("fault", ["", "nme"])
def test_no_log_has_a_civil_registration_number_that_is_searched_for(
    fyr_client, capfd, fault
) -> None:
    for _ in range(2):
        fyr_client.create({"resourceType": "Patient", "identifier": [{"value": CPR}]})
    form = {"identifier": CPR, "_count": "1", **({fault: CPR} if fault else {})}
    lenient = {**FORM, "Prefer": "handling=lenient"}

    answer = fyr_client.request(
        "POST", "Patient/_search", body=urlencode(form).encode(), headers=lenient
    )
    links = {one["relation"]: one["url"] for one in answer.json["link"]}
    following = fyr_client.get(links["next"].partition("/fhir/")[2])
    heard = "".join(capfd.readouterr())

    assert [len(one.resources) for one in (answer, following)] == [1 + bool(fault), 1]
    assert heard.count('"path"') >= 4 or heard.count("path=") >= 4, heard
    assert CPR not in heard
    assert not any(CPR in url for url in links.values())
