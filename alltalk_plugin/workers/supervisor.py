"""Starts workers and loads models into them."""

from __future__ import annotations

import site
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from loguru import logger

from alltalk_plugin import __version__
from alltalk_plugin.domain.engines import EngineSpec, LoadRequest
from alltalk_plugin.domain.errors import (
    AlltalkError,
    Cancelled,
    ModelIncompatible,
    ModelNotFound,
    ModelTimeout,
    WorkerCrashed,
)
from alltalk_plugin.domain.models import Device, ModelKey, ModelProfile
from alltalk_plugin.domain.ports import CancelToken, Clock
from alltalk_plugin.workers.model import UNLOAD_GRACE_S, WorkerModel, placed
from alltalk_plugin.workers.priority import lower
from alltalk_plugin.workers.process import WorkerProcess
from alltalk_plugin.workers.protocol import PROTOCOL_VERSION, Failed, Hello, Load
from alltalk_plugin.workers.spares import Spares

CHILD = Path(__file__).resolve().parent.parent / "engines" / "child.py"
"""A worker's main, started by path: the package need not be installed where the engine is."""

HELLO_TIMEOUT_S = 30.0
"""A worker says hello in 0.15 s; a virus scanner that reads a fresh environment takes many seconds."""
LOAD_TIMEOUT_S = 120.0
CHUNK_TIMEOUT_S = 60.0
"""Longer than the slowest engine needs for one sentence on a busy machine; shorter than patience."""


@dataclass(frozen=True, slots=True)
class WorkerEnvironment:
    """Where an engine's code runs: an interpreter, and folders to import from besides its own."""

    interpreter: Path
    search_paths: tuple[Path, ...] = ()

    def command(self, spec: EngineSpec, child: Path) -> list[str]:
        """Isolated (-I): no PYTHON* variable and no folder of the user's can change what is imported."""
        folders = [str(path) for path in self.search_paths]
        return [str(self.interpreter), "-I", "-X", "utf8", str(child), spec.entry, *folders]


def own_environment(search_paths: Sequence[Path] = ()) -> WorkerEnvironment:
    """The environment this process runs in. -I leaves out the user's site folder, so it is named."""
    paths = tuple(search_paths)
    if site.ENABLE_USER_SITE:
        paths = (*paths, Path(site.getusersitepackages()))
    return WorkerEnvironment(Path(sys.executable), paths)


class WorkerLoader:
    """Satisfies `ModelLoader`: each model in a process of its own. Thread-safe.

    `environment_of` says where an engine's code runs. It is asked at each start of a worker, so that an
    engine which has just been installed is found, and raises EngineMissing when that is nowhere.

    The load after one with an engine that asks for a warm spare finds a process that has imported it.
    """

    def __init__(
        self,
        engines: Mapping[str, EngineSpec],
        *,
        clock: Clock,
        environment_of: Callable[[EngineSpec], WorkerEnvironment] = lambda _spec: own_environment(),
        load_timeout_s: Callable[[], float] = lambda: LOAD_TIMEOUT_S,
        chunk_timeout_s: Callable[[], float] = lambda: CHUNK_TIMEOUT_S,
        child: Path = CHILD,
    ) -> None:
        self._engines = engines
        self._clock = clock
        self._environment_of = environment_of
        self._load_timeout_s = load_timeout_s
        self._chunk_timeout_s = chunk_timeout_s
        self._child = child
        self._lock = threading.Lock()
        self._processes: set[WorkerProcess] = set()
        self._whole: set[str] = set()
        self._closed = False
        self._spares = Spares(self._start)

    def load(
        self,
        profile: ModelProfile,
        key: ModelKey,
        cancel: CancelToken,
        on_death: Callable[[WorkerCrashed], None],
    ) -> WorkerModel:
        spec = self._engines.get(profile.engine)
        if spec is None:
            raise ModelNotFound(
                f"no engine is called {profile.engine}",
                hint="Run 'alltalk-plugin engine list' for the engines that exist.",
                context={"model": profile.ref, "phase": "load", "engine": profile.engine},
            )
        cancel.raise_if_cancelled()
        begun_s = self._clock.monotonic()
        spare = self._spares.take(spec)
        if spare is not None:
            spare.rename(profile.ref)
        process = spare or self._start(spec, profile.ref)
        forget_cancel = cancel.on_cancel(process.abandon)
        loaded = False
        try:
            self._greet(process, profile)
            ready_s = self._clock.monotonic()
            self._load_into(process, profile)
            loaded = True
        except AlltalkError as error:
            cancel.raise_if_cancelled()
            raise placed(error, model=profile.ref, phase="load") from error
        finally:
            forget_cancel()
            if not loaded:
                process.end(0.0)
                self._spares.refill(spec)
        process.on_death(lambda death: on_death(placed(death, model=profile.ref)))
        logger.info(
            "model loaded",
            model=profile.ref,
            engine=spec.name,
            pid=process.pid,
            spare=spare is not None,
            start_ms=round((ready_s - begun_s) * 1000),
            load_ms=round((self._clock.monotonic() - ready_s) * 1000),
        )
        for caution in spec.cautions(profile):
            logger.warning("model used with caution", model=profile.ref, reason=caution)
        return WorkerModel(
            spec=spec,
            profile=profile,
            key=key,
            process=process,
            chunk_timeout_s=self._chunk_timeout_s,
            settled=partial(
                self._spares.refill, spec
            ),  # not before: its import would slow the self-test down
        )

    def base_bytes(self) -> Mapping[Device, int]:
        """What the spares hold; none of it belongs to a model."""
        return self._spares.resident_bytes()

    def close(self) -> None:
        """End every worker, spares included. Loads that run end with an error, later ones are refused."""
        with self._lock:
            self._closed = True
            processes = tuple(self._processes)
        for process in processes:
            process.end(UNLOAD_GRACE_S)

    def _start(self, spec: EngineSpec, name: str) -> WorkerProcess:
        command = self._environment_of(spec).command(spec, self._child)
        with self._lock:
            if self._closed:
                raise Cancelled("the service is ending", context={"model": name})
            try:
                process = WorkerProcess(command, name=name)
            except OSError as error:
                raise ModelIncompatible(
                    f"the interpreter of {spec.name} does not start: {error.strerror}",
                    hint="Reinstall the engine's environment ('alltalk-plugin engine install').",
                    context={"model": name, "phase": "load", "errno": error.errno},
                ) from error
            lower(process.pid)
            self._processes = {one for one in self._processes if not one.ended.is_set()} | {process}
        return process

    def _greet(self, process: WorkerProcess, profile: ModelProfile) -> None:
        hello = process.hello(HELLO_TIMEOUT_S)
        if hello is None:
            raise ModelTimeout(f"the worker of {profile.ref} did not say hello in {HELLO_TIMEOUT_S:g} s")
        ours = Hello(hello.pid, PROTOCOL_VERSION, __version__, hello.python)
        if hello != ours:
            raise ModelIncompatible(
                f"the worker of {profile.ref} is of another version",
                hint="Install the engine again, so that its files are those of this version.",
                context={
                    "ours": f"{ours.package}/{ours.protocol}",
                    "theirs": f"{hello.package}/{hello.protocol}",
                    "python": hello.python,
                },
            )

    def _load_into(self, process: WorkerProcess, profile: ModelProfile) -> None:
        revision = self._engines[profile.engine].revision(profile)
        files = f"{profile.path} {revision} {sorted(profile.options.items())}"
        with self._lock:
            whole = files in self._whole
            self._whole.discard(files)  # until this load has gone well too
        request = LoadRequest(
            model=profile.ref,
            path=profile.path,
            device=profile.device,
            options=profile.options,
            whole=whole,
        )
        timeout_s = self._load_timeout_s()
        request_id, inbox = process.open()
        try:
            process.send(Load(request_id, request))
            match inbox.take(timeout_s):
                case None:
                    raise ModelTimeout(
                        f"{profile.ref} did not load in {timeout_s:g} s", context={"timeout_s": timeout_s}
                    )
                case Failed() as failed:
                    raise failed.error()
        finally:
            process.forget(request_id)
        if revision:
            with self._lock:
                self._whole.add(files)
