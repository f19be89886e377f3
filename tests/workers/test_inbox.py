from __future__ import annotations

import threading

import pytest

from alltalk_plugin.domain.errors import WorkerCrashed
from alltalk_plugin.workers.inbox import CAPACITY, Inbox
from alltalk_plugin.workers.protocol import Done


def test_take_gives_messages_in_order() -> None:
    inbox = Inbox()
    for number in range(3):
        inbox.put(Done(number))
    assert [inbox.take(1.0) for _ in range(3)] == [Done(0), Done(1), Done(2)]
    assert inbox.take(0.0) is None


def test_put_when_full_then_waits_for_the_consumer() -> None:
    inbox = Inbox()
    for number in range(CAPACITY):
        inbox.put(Done(number))
    put_one_more = threading.Thread(target=inbox.put, args=(Done(CAPACITY),))
    put_one_more.start()
    put_one_more.join(0.05)
    assert put_one_more.is_alive()
    inbox.take(1.0)
    put_one_more.join(10.0)
    assert not put_one_more.is_alive()


def test_put_when_full_and_closed_then_the_producer_goes_on() -> None:
    inbox = Inbox()
    for number in range(CAPACITY):
        inbox.put(Done(number))
    put_one_more = threading.Thread(target=inbox.put, args=(Done(CAPACITY),))
    put_one_more.start()
    inbox.close()
    put_one_more.join(10.0)
    assert not put_one_more.is_alive()
    assert inbox.take(0.0) is None


def test_take_after_failure_gives_what_was_there_then_raises() -> None:
    inbox = Inbox()
    inbox.put(Done(1))
    inbox.fail(WorkerCrashed("gone"))
    inbox.fail(WorkerCrashed("gone twice"))
    assert inbox.take(0.0) == Done(1)
    for _ in range(2):
        with pytest.raises(WorkerCrashed, match=r"gone$"):
            inbox.take(0.0)


def test_take_when_closed_by_another_thread_then_returns_none() -> None:
    inbox = Inbox()
    threading.Thread(target=inbox.close).start()
    assert inbox.take(10.0) is None
