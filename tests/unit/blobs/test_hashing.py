"""A stream is hashed beside, and its hashes are those of its bytes."""

import os
import subprocess
import sys
import threading
from hashlib import sha256

from blake3 import blake3
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.blobs.hashing import BATCH, Hashing

_FORKING = """
import os, signal
from hashlib import sha256
from fyr.core.blobs.hashing import BATCH, Hashing

def hashed():
    digest = sha256()
    hashing = Hashing(digest)
    for _ in range(8):
        hashing.update(bytes(BATCH))
    hashing.end()
    return digest.hexdigest()

first = hashed()
pid = os.fork()
if not pid:
    signal.alarm(120)
    os._exit(0 if hashed() == first else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@given(st.lists(st.sampled_from([0, 1, 1000, BATCH // 2, BATCH - 1, BATCH, BATCH + 1])))
def test_the_hashes_of_pieces_are_those_of_all_their_bytes(sizes: list[int]) -> None:
    pieces = [bytes([number % 251]) * size for number, size in enumerate(sizes)]
    one, other = sha256(), blake3()
    hashing = Hashing(one, other)
    for piece in pieces:
        hashing.update(piece)
    hashing.end()
    hashing.end()

    whole = b"".join(pieces)
    assert one.hexdigest() == sha256(whole).hexdigest()
    assert other.hexdigest() == blake3(whole).hexdigest()


def test_many_streams_share_as_many_threads_as_there_are_processors() -> None:
    for _ in range(20):
        hashing = Hashing(sha256())
        # One that is given up half way ends too.
        for _ in range(3):
            hashing.update(bytes(BATCH))

    threads = [one for one in threading.enumerate() if "blob-hash" in one.name]
    assert 0 < len(threads) <= (os.cpu_count() or 1)


def test_a_process_that_was_forked_hashes_too() -> None:
    done = subprocess.run([sys.executable, "-c", _FORKING], check=False, timeout=180)

    assert done.returncode == 0
