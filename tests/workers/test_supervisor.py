from __future__ import annotations

import gc
import threading
from pathlib import Path

import psutil
import pytest

from alltalk_plugin.domain.cancel import CancelSource
from alltalk_plugin.domain.clock import SystemClock
from alltalk_plugin.domain.engines import SynthesisRequest
from alltalk_plugin.domain.errors import (
    AlltalkError,
    Cancelled,
    ModelCorrupt,
    ModelIncompatible,
    ModelNotFound,
    ModelTimeout,
    OutOfMemory,
    SelfTestFailed,
    SynthesisFailed,
    TextTooLong,
    WorkerCrashed,
)
from alltalk_plugin.domain.models import CPU
from alltalk_plugin.workers.frames import MAX_HEADER_BYTES
from alltalk_plugin.workers.model import WorkerModel
from alltalk_plugin.workers.supervisor import WorkerEnvironment, WorkerLoader
from tests.workers.conftest import MakeLoader
from tests.workers.rude_spec import ENGINES, Deaths, load, say, worker_processes

pytestmark = pytest.mark.slow

RATE_HZ = 16_000


def pid_of(model: object) -> int:
    assert isinstance(model, WorkerModel)
    return model.pid


def test_load_then_speak_gives_audio_as_long_as_the_text(make_loader: MakeLoader) -> None:
    model = load(make_loader())
    assert model.alive
    assert len(say(model, "x" * 40)) == 2 * RATE_HZ
    assert model.resident_bytes()[CPU] > 10_000_000


def test_speak_when_the_engine_prints_then_the_frames_stay_whole(make_loader: MakeLoader) -> None:
    model = load(make_loader())
    assert len(say(model, "print this, please!!")) == RATE_HZ


@pytest.mark.parametrize(
    ("how", "error", "context"),
    [
        ("corrupt", ModelCorrupt, {"offset": 12}),
        ("raise", ModelIncompatible, {}),
        ("memory", OutOfMemory, {}),
        ("import", ModelIncompatible, {}),
        ("abort", WorkerCrashed, {}),
    ],
)
def test_load_when_the_engine_fails_then_the_error_is_typed_and_no_process_stays(
    make_loader: MakeLoader, how: str, error: type[AlltalkError], context: dict[str, object]
) -> None:
    deaths = Deaths()
    with pytest.raises(error) as caught:
        load(make_loader(), load=how, deaths=deaths)
    assert caught.value.context["model"] == "rude-model"
    assert caught.value.context["phase"] == "load"
    assert context.items() <= caught.value.context.items()
    assert deaths.errors == []
    assert worker_processes() == []


def test_load_when_it_takes_too_long_then_it_times_out_and_the_process_is_gone(
    make_loader: MakeLoader,
) -> None:
    with pytest.raises(ModelTimeout):
        load(make_loader(load_timeout_s=0.05), load="hang")
    assert worker_processes() == []


def test_load_when_cancelled_then_it_ends_at_once(make_loader: MakeLoader) -> None:
    cancel = CancelSource()
    loader = make_loader()
    outcome: list[BaseException] = []

    def work() -> None:
        try:
            load(loader, load="hang", cancel=cancel)
        except Cancelled as error:
            outcome.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while not worker_processes():  # the worker must exist for the cancel to mean anything
        pass
    cancel.cancel()
    thread.join(10.0)
    assert len(outcome) == 1
    assert worker_processes() == []


def test_load_of_an_unknown_engine_then_not_found(make_loader: MakeLoader) -> None:
    with pytest.raises(ModelNotFound):
        load(make_loader(), engine="nonesuch")


def test_load_when_the_interpreter_is_missing_then_incompatible() -> None:
    loader = WorkerLoader(
        ENGINES,
        clock=SystemClock(),
        environment_of=lambda _spec: WorkerEnvironment(Path("/nonexistent/python")),
    )
    with pytest.raises(ModelIncompatible):
        load(loader)


def test_load_when_the_child_is_of_another_version_then_both_versions_are_named(tmp_path: Path) -> None:
    child = tmp_path / "child.py"
    child.write_text(
        "import os\n"
        'header = b\'{"v":9,"kind":"Hello","pid":1,"protocol":9,"package":"0.0","python":"3"}\'\n'
        "os.write(1, b'AW' + len(header).to_bytes(4, 'little') + bytes(4) + header)\n"
        "os.read(0, 1)\n"
    )
    loader = WorkerLoader(ENGINES, clock=SystemClock(), child=child)
    with pytest.raises(ModelIncompatible) as caught:
        load(loader)
    assert caught.value.context["theirs"] == "0.0/9"


def test_load_when_the_child_writes_nonsense_then_it_is_a_crash_and_killed(tmp_path: Path) -> None:
    child = tmp_path / "child.py"
    child.write_text("import os\nprint('Traceback: hello there', flush=True)\nos.read(0, 1)\n")
    with pytest.raises(WorkerCrashed):
        load(WorkerLoader(ENGINES, clock=SystemClock(), child=child))
    assert worker_processes() == []


@pytest.mark.parametrize("command", ["abort", "exit", "midway and more"])
def test_speak_when_the_worker_dies_then_crash_and_on_death_once(
    make_loader: MakeLoader, command: str
) -> None:
    deaths = Deaths()
    model = load(make_loader(), deaths=deaths)
    with pytest.raises(WorkerCrashed) as caught:
        say(model, command)
    assert caught.value.context["exit_code"] != 0
    assert caught.value.context["phase"] == "synthesize"
    assert deaths.wait().context["model"] == "rude-model"
    assert not model.alive
    with pytest.raises(WorkerCrashed):
        say(model, "again")
    model.unload()
    assert len(deaths.errors) == 1


def test_idle_worker_when_killed_from_outside_then_on_death(make_loader: MakeLoader) -> None:
    deaths = Deaths()
    model = load(make_loader(), deaths=deaths)
    psutil.Process(pid_of(model)).kill()
    deaths.wait()
    assert not model.alive
    assert model.resident_bytes() == {}


def test_crash_report_holds_the_output_but_not_the_spoken_text(make_loader: MakeLoader) -> None:
    model = load(make_loader())
    with pytest.raises(WorkerCrashed) as caught:
        say(model, "echo my secret diary")
    output = str(caught.value.context["last_output"])
    assert "about to say" in output
    assert "Fatal Python error" in output
    assert "secret diary" not in output


def test_speak_when_the_engine_raises_then_the_model_stays_usable(make_loader: MakeLoader) -> None:
    deaths = Deaths()
    model = load(make_loader(), deaths=deaths)
    with pytest.raises(SynthesisFailed) as caught:
        say(model, "raise my secret diary")
    assert "secret diary" not in caught.value.message
    with pytest.raises(OutOfMemory):
        say(model, "memory")
    with pytest.raises(SynthesisFailed):
        say(model, "nan")
    assert len(say(model, "x" * 20)) == RATE_HZ
    assert deaths.errors == []


@pytest.mark.parametrize(("command", "answered"), [("hang", True), ("hold", False)])
def test_speak_when_no_chunk_comes_then_timeout_and_the_worker_is_killed(
    make_loader: MakeLoader, command: str, answered: bool
) -> None:
    deaths = Deaths()
    model = load(make_loader(chunk_timeout_s=0.3), deaths=deaths)
    with pytest.raises(ModelTimeout) as caught:
        say(model, command)
    assert caught.value.context["process_answered"] is answered
    assert "no sound" in deaths.wait().message
    assert worker_processes() == []


def test_cancel_ends_the_stream_and_the_next_request_starts_clean(make_loader: MakeLoader) -> None:
    model = load(make_loader())
    cancel = CancelSource()
    stream = model.synthesize(SynthesisRequest(text="endless"), cancel)
    next(stream)
    cancel.cancel()
    assert list(stream) == []
    assert len(say(model, "x" * 20)) == RATE_HZ


def test_cancel_before_the_first_chunk_then_nothing_is_spoken(make_loader: MakeLoader) -> None:
    model = load(make_loader())
    cancel = CancelSource()
    cancel.cancel()
    assert len(say(model, "endless", cancel)) == 0
    assert len(say(model, "x" * 20)) == RATE_HZ


def test_abandoned_stream_stops_the_engine_and_the_next_request_starts_clean(
    make_loader: MakeLoader,
) -> None:
    model = load(make_loader())
    stream = model.synthesize(SynthesisRequest(text="endless"), CancelSource())
    next(stream)
    del stream
    gc.collect()
    assert len(say(model, "x" * 20)) == RATE_HZ


def test_two_callers_are_served_one_after_the_other(make_loader: MakeLoader) -> None:
    model = load(make_loader())
    lengths: list[int] = []
    threads = [
        threading.Thread(target=lambda size=size: lengths.append(len(say(model, "x" * size))))
        for size in (10, 20, 30, 40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20.0)
    assert sorted(lengths) == [RATE_HZ * size // 20 for size in (10, 20, 30, 40)]


def test_waiting_caller_when_cancelled_then_leaves_without_waiting(make_loader: MakeLoader) -> None:
    model = load(make_loader())
    holder = model.synthesize(SynthesisRequest(text="endless"), CancelSource())
    next(holder)
    cancel = CancelSource()
    heard: list[int] = []
    waiter = threading.Thread(target=lambda: heard.append(len(say(model, "x" * 20, cancel))))
    waiter.start()
    cancel.cancel()
    waiter.join(10.0)
    assert heard == [0]
    assert len(next(holder).samples) > 0


@pytest.mark.parametrize("fault", ["silent", "nan", "short", "endless", "raise"])
def test_verify_when_the_model_speaks_garbage_then_selftest_failed(
    make_loader: MakeLoader, fault: str
) -> None:
    model = load(make_loader(), always=fault)
    with pytest.raises(SelfTestFailed) as caught:
        model.verify(CancelSource())
    assert caught.value.context["phase"] == "verify"
    assert caught.value.context["model"] == "rude-model"


def test_verify_when_the_model_speaks_then_passes(make_loader: MakeLoader) -> None:
    load(make_loader()).verify(CancelSource())


def test_verify_when_cancelled_then_says_so(make_loader: MakeLoader) -> None:
    cancel = CancelSource()
    cancel.cancel()
    with pytest.raises(Cancelled):
        load(make_loader()).verify(cancel)


def test_verify_when_the_worker_dies_then_crash(make_loader: MakeLoader) -> None:
    model = load(make_loader(), always="abort")
    with pytest.raises(WorkerCrashed):
        model.verify(CancelSource())


def test_unload_ends_the_process_and_is_no_death(make_loader: MakeLoader) -> None:
    deaths = Deaths()
    model = load(make_loader(), deaths=deaths, allocate_mb=80)
    pid = pid_of(model)
    assert model.resident_bytes()[CPU] > 80_000_000
    model.unload()
    model.unload()
    assert not psutil.pid_exists(pid)
    assert not model.alive
    assert model.resident_bytes() == {}
    assert deaths.errors == []


def test_unload_when_the_engine_hangs_then_the_process_is_killed(make_loader: MakeLoader) -> None:
    deaths = Deaths()
    model = load(make_loader(), deaths=deaths)
    ended: list[type[BaseException]] = []

    def speak() -> None:
        try:
            say(model, "hang")
        except WorkerCrashed as error:
            ended.append(type(error))

    thread = threading.Thread(target=speak)
    thread.start()
    model.unload()
    thread.join(10.0)
    assert ended == [WorkerCrashed]
    assert deaths.errors == []
    assert worker_processes() == []


def test_text_beyond_the_protocol_then_too_long_and_the_model_lives(make_loader: MakeLoader) -> None:
    model = load(make_loader())
    with pytest.raises(TextTooLong):
        say(model, "x" * MAX_HEADER_BYTES)
    assert len(say(model, "x" * 20)) == RATE_HZ


def test_close_ends_every_worker_and_refuses_later_loads(make_loader: MakeLoader) -> None:
    loader = make_loader()
    models = [load(loader), load(loader)]
    loader.close()
    assert not any(model.alive for model in models)
    assert worker_processes() == []
    with pytest.raises(Cancelled):
        load(loader)


def test_thirty_loads_and_unloads_leave_no_process_file_or_thread(make_loader: MakeLoader) -> None:
    loader = make_loader()
    load(loader).unload()
    me = psutil.Process()
    files, threads = me.num_fds(), threading.active_count()
    for round_number in range(30):
        model = load(loader)
        if round_number % 3 == 0:
            psutil.Process(pid_of(model)).kill()
        model.unload()
    assert worker_processes() == []
    assert me.num_fds() <= files
    assert threading.active_count() <= threads + 1  # the last watcher may still be returning
