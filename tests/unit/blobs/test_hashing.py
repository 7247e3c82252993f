"""A stream is hashed beside, and its hash is that of its bytes."""

import subprocess
import sys
from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from fyr.core.blobs.hashing import BATCH, Digest

_FORKING = """
import os, signal
from fyr.core.blobs.hashing import BATCH, Digest

def hashed():
    digest = Digest()
    for _ in range(8):
        digest.update(bytes(BATCH))
    return digest.hexdigest()

first = hashed()
pid = os.fork()
if not pid:
    signal.alarm(120)
    os._exit(0 if hashed() == first else 1)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""


@given(st.lists(st.sampled_from([0, 1, 1000, BATCH // 2, BATCH - 1, BATCH, BATCH + 1])))
def test_the_hash_of_pieces_is_that_of_all_their_bytes(sizes: list[int]) -> None:
    pieces = [bytes([number % 251]) * size for number, size in enumerate(sizes)]
    digest = Digest()
    for piece in pieces:
        digest.update(piece)

    assert digest.hexdigest() == sha256(b"".join(pieces)).hexdigest()
    assert digest.hexdigest() == digest.hexdigest()


def test_a_process_that_was_forked_hashes_too() -> None:
    done = subprocess.run([sys.executable, "-c", _FORKING], check=False, timeout=180)

    assert done.returncode == 0
