"""Chores go on, fail, and end."""

from __future__ import annotations

import threading

from alltalk_plugin.domain.errors import StoreFailed
from alltalk_plugin.housekeeping import Chore, Housekeeping


def test_chore_when_it_fails_then_it_is_tried_again_and_the_others_go_on() -> None:
    tries = threading.Semaphore(0)
    other = threading.Event()

    def fail() -> None:
        tries.release()
        raise StoreFailed("disk full")

    housekeeping = Housekeeping(Chore("fails", 0.001, fail), Chore("works", 0.001, other.set))
    assert tries.acquire(timeout=10)
    assert tries.acquire(timeout=10)
    assert other.wait(10)
    housekeeping.close()


def test_close_when_a_chore_is_far_away_then_it_ends_at_once() -> None:
    done = threading.Event()
    housekeeping = Housekeeping(Chore("rare", 3600.0, done.set))
    housekeeping.close()
    housekeeping.close()
    assert not done.is_set()
