import threading
from pathlib import Path

from fyr.core.store.turns import Turns


def test_one_at_a_time_has_its_turn(tmp_path: Path) -> None:
    queues = [Turns(tmp_path / "x.db") for _ in range(4)]
    inside, most = [], []

    def work(turns: Turns) -> None:
        for _ in range(25):
            with turns.turn():
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work, args=(one,)) for one in queues]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for turns in queues:
        turns.close()

    assert most == [1] * 100


def test_who_has_had_its_turn_stands_behind_who_waits(tmp_path: Path) -> None:
    greedy, patient = Turns(tmp_path / "x.db"), Turns(tmp_path / "x.db")
    order: list[str] = []
    asked = threading.Event()

    def wait() -> None:
        asked.set()
        with patient.turn():
            order.append("patient")

    thread = threading.Thread(target=wait)
    with greedy.turn():
        order.append("greedy")
        thread.start()
        assert asked.wait(60)
        while thread.is_alive() and not _holds(tmp_path / "x.db-next"):
            threading.Event().wait(0.001)
        order.append("greedy leaves")
    with greedy.turn():
        order.append("greedy")
    thread.join()
    greedy.close()
    patient.close()

    assert order == ["greedy", "greedy leaves", "patient", "greedy"]


def _holds(path: Path) -> bool:
    """Tell whether somebody holds the lock of a file."""
    import fcntl

    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
