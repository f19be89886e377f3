from __future__ import annotations

import threading
from collections.abc import Callable

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.workers.turns import Turns


def test_take_when_free_then_at_once_and_again_after_giving_back() -> None:
    turns = Turns()
    for _ in range(2):
        assert turns.take(CancelSource())
        turns.give_back()


class Announcing(CancelSource):
    """Says when its owner has joined the queue: `take` subscribes right after that."""

    def __init__(self) -> None:
        super().__init__()
        self.queued = threading.Event()

    def on_cancel(self, callback: Callable[[], None]) -> Callable[[], None]:
        self.queued.set()
        return super().on_cancel(callback)


def test_turns_are_taken_in_the_order_of_asking() -> None:
    turns = Turns()
    assert turns.take(CancelSource())
    order: list[int] = []

    def work(number: int, cancel: CancelSource) -> None:
        assert turns.take(cancel)
        order.append(number)
        turns.give_back()

    threads = []
    for number in range(5):
        cancel = Announcing()
        threads.append(threading.Thread(target=work, args=(number, cancel)))
        threads[-1].start()
        assert cancel.queued.wait(10.0)
    turns.give_back()
    for thread in threads:
        thread.join(10.0)
    assert order == [0, 1, 2, 3, 4]


def test_cancelled_waiter_leaves_the_queue_and_the_next_gets_the_turn() -> None:
    turns = Turns()
    assert turns.take(CancelSource())
    cancel = CancelSource()
    answers: list[bool] = []
    waiter = threading.Thread(target=lambda: answers.append(turns.take(cancel)))
    waiter.start()
    cancel.cancel()
    waiter.join(10.0)
    assert answers == [False]
    turns.give_back()
    assert turns.take(CancelSource())


def test_take_with_a_raised_sign_then_no_turn() -> None:
    cancel = CancelSource()
    cancel.cancel()
    turns = Turns()
    assert not turns.take(cancel)
    assert turns.take(CancelSource())
