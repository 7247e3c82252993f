"""Fyr with its blobs in a real MinIO, which goes and comes back."""

import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from random import Random

import httpx
import pytest

from fyr.core.testing.minio import MinioServer, available, running_minio
from fyr.core.testing.process import FyrProcess, fyr_process
from fyr.core.testing.servers import absent

PDF = {"Content-Type": "application/pdf", "Prefer": "return=minimal"}
RAW = {"Accept": "application/pdf"}
MASTER = "a" * 43 + "="


@pytest.fixture(scope="module")
def minio() -> Iterator[MinioServer]:
    if why := available():
        absent("minio", why)
    with running_minio() as server:
        if server.process is None:
            pytest.skip("FYR_TEST_S3_URL names a server that is not ours to stop")
        yield server


def settings(server: MinioServer, **more: str) -> dict[str, str]:
    options = server.options(server.new_bucket())
    table = {f"BLOBS__{name.upper()}": value for name, value in options.items()}
    return {**table, "BLOBS__THRESHOLD_BYTES": "10000", **more}


@pytest.fixture
def fyr(minio: MinioServer, tmp_path: Path) -> Iterator[FyrProcess]:
    sealed = settings(minio, BLOBS__MASTER_KEY=MASTER)
    with fyr_process(tmp_path, settings=sealed) as running:
        yield running


@pytest.fixture
def http(fyr: FyrProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=fyr.base, timeout=60) as client:
        yield client


def ready(fyr: FyrProcess) -> tuple[int, str, str]:
    answer = httpx.get(f"{fyr.url}/health/ready", timeout=60)
    told = answer.json()
    return answer.status_code, told["status"], told["ports"]["blobs"]["status"]


def test_content_in_several_parts_comes_back(http: httpx.Client) -> None:
    content = Random(1).randbytes(40_000_000)

    made = http.post("/Binary", content=content, headers=PDF)
    path = made.headers["location"].partition("/_history")[0]
    whole = http.get(path, headers=RAW)
    part = http.get(path, headers={**RAW, "Range": "bytes=33554430-33554440"})

    assert (made.status_code, whole.content == content) == (201, True)
    assert (part.status_code, part.content) == (206, content[33554430:33554441])


def test_a_minio_that_is_killed_loses_nothing_that_was_acknowledged(
    fyr: FyrProcess, http: httpx.Client, minio: MinioServer
) -> None:
    kept: dict[str, bytes] = {}
    seen: set[int] = set()
    down, up, done = threading.Event(), threading.Event(), threading.Event()

    def write(number: int) -> None:
        random = Random(number)
        with httpx.Client(base_url=fyr.base, timeout=60) as client:
            while not done.is_set():
                content = random.randbytes(random.randrange(10_001, 400_000))
                answer = client.post("/Binary", content=content, headers=PDF)
                seen.add(answer.status_code)
                if answer.status_code == 201:
                    kept[answer.headers["location"]] = content
                    (up if down.is_set() else begun).set()
                else:
                    assert answer.headers["retry-after"] == "5"
                    refused.set()

    begun, refused = threading.Event(), threading.Event()
    writers = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for writer in writers:
        writer.start()
    try:
        assert begun.wait(180)
        minio.stop(signal.SIGKILL)
        assert refused.wait(180)
        assert ready(fyr) == (200, "degraded", "down")
        path = next(iter(kept))
        read = http.get(path, headers=RAW)
        other = http.post("/Patient", json={"resourceType": "Patient"})
        down.set()
    finally:
        minio.start()
    back = up.wait(180)
    done.set()
    for writer in writers:
        writer.join()

    assert (read.status_code, read.headers["retry-after"]) == (503, "5")
    assert (other.status_code, back, seen) == (201, True, {201, 503})
    assert ready(fyr) == (200, "ok", "ok")
    for path, content in kept.items():
        assert http.get(path, headers=RAW).content == content


def test_wrong_credentials_stop_the_start_with_a_sentence(
    minio: MinioServer, tmp_path: Path
) -> None:
    wrong = settings(minio, BLOBS__SECRET_KEY="wrong")

    with (
        pytest.raises(RuntimeError, match=r"refuses the credentials of \[blobs\]"),
        fyr_process(tmp_path, settings=wrong),
    ):
        pass


def test_without_anybody_who_answers_all_that_needs_no_blob_is_served(
    minio: MinioServer, tmp_path: Path
) -> None:
    away = settings(minio, BLOBS__URL="s3+http://127.0.0.1:9/bucket")

    with fyr_process(tmp_path, settings=away) as fyr:
        small = httpx.post(f"{fyr.base}/Binary", content=b"small", headers=PDF)
        large = httpx.post(f"{fyr.base}/Binary", content=b"x" * 20_000, headers=PDF)

        assert (small.status_code, large.status_code) == (201, 503)
        assert ready(fyr) == (200, "degraded", "down")


def test_content_that_is_not_sealed_may_be_fetched_from_minio_itself(
    minio: MinioServer, tmp_path: Path
) -> None:
    plain = settings(minio, BLOBS__LINK_SECONDS="60")
    content = Random(2).randbytes(50_000)
    with fyr_process(tmp_path, settings=plain) as fyr:
        made = httpx.post(f"{fyr.base}/Binary", content=content, headers=PDF)
        path = made.headers["location"].partition("/_history")[0]
        sent_on = httpx.get(path, headers=RAW)
        followed = httpx.get(path, headers=RAW, follow_redirects=True)

    assert sent_on.status_code == 307
    assert followed.url.netloc.decode() == minio.endpoint
    assert (followed.content, followed.headers["content-type"]) == (
        content,
        "application/pdf",
    )
