"""Models that are moved between devices, in real workers."""

from __future__ import annotations

import threading

import pytest

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import Cancelled, ModelIncompatible, ModelTimeout, WorkerCrashed
from alltalk_plugin.domain.models import CPU, Device
from alltalk_plugin.domain.ports import LoadedModel
from alltalk_plugin.workers.model import WorkerModel
from tests.workers.conftest import MakeLoader
from tests.workers.rude_spec import Deaths, load, say, worker_processes

pytestmark = pytest.mark.slow


def move(model: LoadedModel, device: str, cancel: CancelSource | None = None) -> None:
    assert isinstance(model, WorkerModel)
    model.to_device(Device(device), cancel or CancelSource())


def test_move_there_and_back_then_the_engine_is_where_it_was_sent(make_loader: MakeLoader) -> None:
    model = load(make_loader())
    for device in ("cuda:0", "cpu"):
        move(model, device)
        assert len(say(model, "where")) == len(device)
    assert model.resident_bytes()[CPU] > 10_000_000


def test_move_when_the_engine_refuses_then_typed_with_the_place_and_it_stays(make_loader: MakeLoader) -> None:
    model = load(make_loader())
    move(model, "cuda:0")
    with pytest.raises(ModelIncompatible) as caught:
        move(model, "cuda:7")
    assert caught.value.context == {"model": "rude-model", "phase": "move", "device": "cuda:7"}
    assert len(say(model, "where")) == len("cuda:0")


def test_move_when_the_engine_moves_nothing_then_incompatible_and_it_speaks_on(
    make_loader: MakeLoader,
) -> None:
    model = load(make_loader(), engine="espeak")
    with pytest.raises(ModelIncompatible):
        move(model, "cuda:0")
    assert len(say(model, "hello")) > 1_000


def test_move_when_the_worker_dies_of_it_then_crash_and_on_death_once(make_loader: MakeLoader) -> None:
    deaths = Deaths()
    model = load(make_loader(), deaths=deaths)
    for _ in range(2):  # of it, and after it
        with pytest.raises(WorkerCrashed) as caught:
            move(model, "cuda:9")
        assert caught.value.context["phase"] == "move"
    deaths.wait()
    assert len(deaths.errors) == 1
    assert not model.alive


def test_move_when_it_hangs_then_timeout_and_the_worker_is_killed(make_loader: MakeLoader) -> None:
    deaths = Deaths()
    model = load(make_loader(chunk_timeout_s=0.3), deaths=deaths)
    with pytest.raises(ModelTimeout) as caught:
        move(model, "mps")
    assert caught.value.context["phase"] == "move"
    assert "did not move" in deaths.wait().message
    assert worker_processes() == []


def test_move_while_somebody_speaks_then_after_the_last_word(make_loader: MakeLoader) -> None:
    model = load(make_loader())
    stream = model.synthesize(SynthesisRequest(text="x" * 40), CancelSource())
    next(stream)
    mover = threading.Thread(target=move, args=(model, "cuda:0"))
    mover.start()
    assert len([*stream]) == 19
    mover.join(10.0)
    assert len(say(model, "where")) == len("cuda:0")


def test_move_when_cancelled_before_its_turn_then_nothing_is_moved(make_loader: MakeLoader) -> None:
    model = load(make_loader())
    stream = model.synthesize(SynthesisRequest(text="endless"), CancelSource())
    next(stream)
    cancel = CancelSource()
    raised: list[BaseException] = []

    def work() -> None:
        try:
            move(model, "cuda:0", cancel)
        except Cancelled as error:
            raised.append(error)

    waiter = threading.Thread(target=work)
    waiter.start()
    cancel.cancel()
    waiter.join(10.0)
    stream.close()  # type: ignore[attr-defined]  # the port promises an iterator; here it is a generator
    assert len(raised) == 1
    assert len(say(model, "where")) == 0
