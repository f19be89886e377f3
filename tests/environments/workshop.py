"""A machine on which an installation takes no time: nothing is made but the files that are looked at."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from alltalk_plugin.domain.engines import EngineSpec
from alltalk_plugin.domain.errors import InstallError
from alltalk_plugin.environments.events import InstallEvent, Remark, StageBegan
from alltalk_plugin.environments.install import Machine
from alltalk_plugin.environments.pip import PipFailed
from alltalk_plugin.environments.places import EngineFolder


class Killed(BaseException):
    """As good as kill -9: nothing of ours catches it."""


class Watched(list[InstallEvent]):
    """The events of an installation; is its listener too."""

    def __call__(self, event: InstallEvent) -> None:
        self.append(event)

    @property
    def stages(self) -> list[str]:
        return [f"{one.number}/{one.count} {one.what}" for one in self if isinstance(one, StageBegan)]

    @property
    def remarks(self) -> list[str]:
        return [one.text for one in self if isinstance(one, Remark)]


@dataclass
class Workshop:
    """`machine` is what `install` takes. `faults`: a word of a pip call, `make` or `import` -> what is
    raised there, once."""

    kind: str = "cpu"
    free: int = 10**12
    users: tuple[int, ...] = ()
    reachable: tuple[str, ...] = ()
    faults: dict[str, BaseException] = field(default_factory=dict)
    pip_calls: list[tuple[str, ...]] = field(default_factory=list)
    told: Watched = field(default_factory=Watched)

    @property
    def machine(self) -> Machine:
        return Machine(
            visible_kind=lambda: self.kind,
            free_bytes=lambda _path: self.free,
            users_of=lambda _folder: self.users,
            make=self._make,
            pip=lambda _folder, _tell: self,
            try_import=self._try_import,
        )

    def run(self, *arguments: str) -> None:
        self.pip_calls.append(arguments)
        for word in arguments:
            self._fault(word)

    def offers(self, requirement: str, index: str) -> bool:
        return index in self.reachable

    def _make(self, folder: EngineFolder) -> None:
        folder.root.mkdir(parents=True)
        (folder.root / "made").touch()
        self._fault("make")
        folder.interpreter.parent.mkdir(parents=True)
        folder.interpreter.symlink_to(sys.executable)

    def _try_import(self, _folder: EngineFolder, _spec: EngineSpec) -> None:
        self._fault("import")

    def _fault(self, word: str) -> None:
        if word in self.faults:
            raise self.faults.pop(word)


def pip_failure() -> PipFailed:
    return PipFailed("No space left on device", ("first", "ERROR: No space left on device"))


def import_failure() -> InstallError:
    return InstallError("tone was installed, but cannot be imported")
