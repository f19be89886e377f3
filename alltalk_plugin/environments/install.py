"""`engine install`: makes an engine's environment, and goes on where it was stopped."""

from __future__ import annotations

import platform
import shutil
import sysconfig
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from alltalk_plugin.domain.engines import EngineEnvironment, EngineSpec, InstallStep
from alltalk_plugin.domain.errors import InstallError
from alltalk_plugin.environments import making
from alltalk_plugin.environments.devices import visible_kind
from alltalk_plugin.environments.distributions import brought, sweep_unfinished
from alltalk_plugin.environments.events import Listener, Remark, StageBegan
from alltalk_plugin.environments.exclusive import alone
from alltalk_plugin.environments.locate import Placement, Standing, place
from alltalk_plugin.environments.pip import Pip, PipFailed
from alltalk_plugin.environments.places import EngineFolder
from alltalk_plugin.environments.recipe import recipe_of
from alltalk_plugin.environments.record import InstallRecord, read_record, write_record

MB = 1_000_000
DOWNLOADS = 1.4
"""What pip downloads lies beside what it unpacks from it: 0.2 to 0.4 of the size (torch, onnxruntime)."""


@dataclass(frozen=True, slots=True)
class Installed:
    """How an installation ended; `changed` False: it was there already."""

    placement: Placement
    changed: bool
    duration_s: float = 0.0


class Installer(Protocol):
    """The part of `Pip` that is used."""

    def run(self, *arguments: str) -> None: ...

    def offers(self, requirement: str, index: str) -> bool: ...


def _free_bytes(path: Path) -> int:
    return shutil.disk_usage(path).free


def _pip(folder: EngineFolder, tell: Listener) -> Pip:
    return Pip(folder.interpreter, log=folder.log, scratch=folder.scratch, tell=tell)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What an installation does to this machine and asks of it; tests put their own in."""

    visible_kind: Callable[[], str] = visible_kind
    free_bytes: Callable[[Path], int] = _free_bytes
    users_of: Callable[[EngineFolder], tuple[int, ...]] = making.users_of
    make: Callable[[EngineFolder], None] = making.make
    pip: Callable[[EngineFolder, Listener], Installer] = _pip
    try_import: Callable[[EngineFolder, EngineSpec], None] = making.try_import


THIS_MACHINE = Machine()


def install(
    home: Path,
    spec: EngineSpec,
    *,
    tell: Listener,
    device: str | None = None,
    force: bool = False,
    machine: Machine = THIS_MACHINE,
) -> Installed:
    """Give `spec` an environment in the data folder `home`; blocks for as long as that takes.

    `device`: cpu or cuda; None takes what an earlier run took, else what this machine has. `force` makes
    it anew. Killed at any moment, the next call goes on with the step that was not done.
    Raises: InstallError.
    """
    before = place(home, spec)
    if spec.environment is None or before.standing is Standing.SERVICE:
        return Installed(before, changed=False)
    folder = EngineFolder(home, spec.name)
    with alone(folder), _disk_errors(folder):
        work = _Work(folder, spec, spec.environment, tell, machine)
        left = None if force else work.left_over(device)
        if left is not None and left.complete:
            return Installed(place(home, spec), changed=False)
        work.check_disk()
        record = work.run(left, device or (left.device if left else machine.visible_kind()))
    return Installed(place(home, spec), changed=True, duration_s=record.duration_s)


@dataclass(frozen=True, slots=True)
class _Work:
    """One run of an installation, under the lock."""

    folder: EngineFolder
    spec: EngineSpec
    environment: EngineEnvironment
    tell: Listener
    machine: Machine

    def left_over(self, device: str | None) -> InstallRecord | None:
        """What an earlier run did that still counts."""
        record = read_record(self.folder.record)
        usable = self.folder.interpreter.is_file() and not self.folder.root.is_symlink()
        if record is None or not usable or record.recipe != recipe_of(self.environment):
            return None
        return record if device in (None, record.device) else None

    def check_disk(self) -> None:
        self.folder.root.parent.mkdir(parents=True, exist_ok=True)
        here = making.size_bytes(self.folder.root)
        need = max(0, round(self.environment.size_mb * MB * DOWNLOADS) - here)
        free = self.machine.free_bytes(self.folder.root.parent)
        if free < need:
            raise InstallError(
                f"{self.spec.name} needs {need / MB:.0f} MB on the disk of {self.folder.home},"
                f" where {free / MB:.0f} MB are free",
                hint="Make room, or choose another data folder with --home.",
                context={"engine": self.spec.name, "need_bytes": need, "free_bytes": free},
            )

    def run(self, left: InstallRecord | None, device: str) -> InstallRecord:
        began_s = time.monotonic()
        count = len(self.environment.steps) + 2
        here = sysconfig.get_platform()
        if here not in self.environment.tried:
            tried = ", ".join(self.environment.tried) or "nothing"
            self.tell(Remark(f"{self.spec.name} was never tried on {here} (tried: {tried}); it goes on"))
        record = left
        if record is None:
            self.tell(StageBegan(1, count, f"make an environment for {device}"))
            self._make_room()
            self.machine.make(self.folder)
            record = InstallRecord(
                recipe=recipe_of(self.environment),
                python=platform.python_version(),
                platform=here,
                device=device,
            )
            write_record(self.folder.record, record)
        else:
            sweep_unfinished(self.folder.packages)
        earlier_s = record.duration_s
        pip = self.machine.pip(self.folder, self.tell)
        sources = self._sources(pip, device) if record.steps_done < len(self.environment.steps) else ()
        for number in range(record.steps_done, len(self.environment.steps)):
            step = self.environment.steps[number]
            self.tell(StageBegan(number + 2, count, f"install {', '.join(step.requirements)}"))
            self._step(pip, step, sources)
            spent_s = earlier_s + time.monotonic() - began_s
            record = replace(record, steps_done=number + 1, duration_s=round(spent_s, 1))
            write_record(self.folder.record, record)
        self.tell(StageBegan(count, count, "import the engine"))
        shutil.rmtree(self.folder.scratch, ignore_errors=True)
        self.machine.try_import(self.folder, self.spec)
        record = replace(
            record,
            complete=True,
            duration_s=round(earlier_s + time.monotonic() - began_s, 1),
            size_mb=round(making.size_bytes(self.folder.root) / MB),
        )
        write_record(self.folder.record, record)
        return record

    def _make_room(self) -> None:
        if users := self.machine.users_of(self.folder):
            raise in_use(self.folder, users, "Stop the service of this data folder first.")
        making.throw_away(self.folder)
        self.folder.log.unlink(missing_ok=True)

    def _sources(self, pip: Installer, device: str) -> tuple[str, ...]:
        """Where builds for the device come from, besides the user's own index."""
        index = self.environment.indexes.get(device)
        if index is None:
            return ()
        first = self.environment.steps[0].requirements[0]
        if not pip.offers(first, index):
            self.tell(
                Remark(f"{index} (builds for {device}) does not answer; pip's other sources are used instead")
            )
            return ()
        return ("--extra-index-url", index)

    def _step(self, pip: Installer, step: InstallStep, sources: tuple[str, ...]) -> None:
        plugins = {one: found for one in step.requirements if (found := brought(one)) is not None}
        others = [one for one in step.requirements if one not in plugins]
        lock = ("--constraint", str(self.environment.lock))
        try:
            if others:
                bare = ("--no-deps",) if step.bare else ()
                pip.run("install", *lock, *sources, *bare, *others)
            for found in plugins.values():
                pip.run("install", "--no-deps", *sources, *found.pip_arguments)
        except PipFailed as failed:
            raise InstallError(
                f"{self.spec.name}: {', '.join(step.requirements)} could not be installed: {failed.reason}",
                hint=f"pip's output is in {self.folder.log}. Run the command again: it goes on there.",
                context={
                    "engine": self.spec.name,
                    "step": ", ".join(step.requirements),
                    "log": str(self.folder.log),
                    "last_lines": "\n".join(failed.last_lines),
                },
            ) from failed


def in_use(folder: EngineFolder, users: tuple[int, ...], hint: str) -> InstallError:
    """The error of an environment that cannot be replaced or removed now."""
    return InstallError(
        f"{folder.engine} is in use by {len(users)} running process(es): {', '.join(map(str, users))}",
        hint=hint,
        context={"engine": folder.engine},
    )


@contextmanager
def _disk_errors(folder: EngineFolder) -> Iterator[None]:
    """Failed writes as the error they are."""
    try:
        yield
    except OSError as error:
        raise InstallError(
            f"{folder.engine} could not be installed: {error.filename or folder.root}: {error.strerror}",
            context={"engine": folder.engine, "errno": error.errno},
        ) from error
