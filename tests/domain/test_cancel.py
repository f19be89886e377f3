"""The stop sign."""

from __future__ import annotations

import threading

import pytest

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.errors import Cancelled


def test_sign_when_raised_then_stays_up_and_raises() -> None:
    source = CancelSource()
    source.raise_if_cancelled()
    assert not source.wait(0)
    source.cancel()
    assert source.cancelled
    assert source.wait(0)
    with pytest.raises(Cancelled):
        source.raise_if_cancelled()


def test_callbacks_when_the_sign_goes_up_then_each_once_and_late_ones_at_once() -> None:
    source = CancelSource()
    called: list[str] = []
    source.on_cancel(lambda: called.append("early"))
    forget = source.on_cancel(lambda: called.append("forgotten"))
    forget()
    forget()
    source.cancel()
    source.cancel()
    source.on_cancel(lambda: called.append("late"))()
    assert called == ["early", "late"]


def test_callback_when_it_uses_the_source_then_no_deadlock() -> None:
    source = CancelSource()
    called: list[bool] = []

    def asks_again() -> None:
        source.on_cancel(lambda: called.append(source.cancelled))

    source.on_cancel(asks_again)
    thread = threading.Thread(target=source.cancel, daemon=True)
    thread.start()
    thread.join(10)
    assert called == [True]


def test_sign_when_many_threads_raise_it_then_the_callback_runs_once() -> None:
    source = CancelSource()
    called: list[int] = []
    start = threading.Barrier(8)
    source.on_cancel(lambda: called.append(1))

    def raise_it() -> None:
        start.wait(10)
        source.cancel()

    threads = [threading.Thread(target=raise_it) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert called == [1]
