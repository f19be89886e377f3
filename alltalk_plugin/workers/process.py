"""One worker process: its pipes, its threads and its end."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Sequence
from typing import BinaryIO, cast

from loguru import logger

from alltalk_plugin.domain.errors import ModelTimeout, WorkerCrashed
from alltalk_plugin.workers.frames import FrameError
from alltalk_plugin.workers.inbox import Inbox
from alltalk_plugin.workers.protocol import Cancel, Hello, Message, Ping, Pong, Unload, encode, read_message
from alltalk_plugin.workers.redaction import OutputRing

HELLO_ID = 0
_LAST_OUTPUT_CHARS = 4_000
"""As much of the ring as goes into an error; the rest is logged at DEBUG."""
_DRAIN_S = 1.0
"""How long the last frames and lines of a dead process are waited for; a grandchild that inherited the
pipe could keep it open for ever."""
_KILL_S = 10.0
"""A killed process that has not ended by then is stuck in the kernel."""
_NO_WINDOW = 0x08000200
"""CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP of the Windows API, which exist as names on Windows only."""


class WorkerProcess:
    """A started worker. Thread-safe.

    Three threads of its own: one reads frames, one reads what the worker prints, one waits for its end.
    It runs in a session of its own, so that Ctrl-C in a terminal reaches the service alone, which then
    ends its workers in order.
    """

    def __init__(self, command: Sequence[str], *, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._inboxes: dict[int, Inbox] = {HELLO_ID: Inbox()}
        self._next_id = HELLO_ID
        self._asked_to_end = False
        self._killed_because = ""
        self._death: WorkerCrashed | None = None
        self._watchers: list[Callable[[WorkerCrashed], None]] = []
        self._ring = OutputRing()
        self._exited = threading.Event()
        self.ended = threading.Event()
        posix = os.name == "posix"
        self._popen = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=posix,
            creationflags=0 if posix else _NO_WINDOW,
        )
        self.pid = self._popen.pid
        # Asked for with PIPE above, so none of the three is None.
        self._stdin = cast("BinaryIO", self._popen.stdin)
        self._readers = (
            self._thread("frames", self._read_frames, cast("BinaryIO", self._popen.stdout)),
            self._thread("output", self._read_output, cast("BinaryIO", self._popen.stderr)),
        )
        threading.Thread(target=self._wait, name=f"{name}-end", daemon=True).start()

    # --- asking ---------------------------------------------------------------------------------------

    def hello(self, timeout_s: float) -> Hello | None:
        """What the worker said first; None when it said nothing in time. Raises: WorkerCrashed."""
        message = self._inboxes[HELLO_ID].take(timeout_s)
        if not isinstance(message, Hello):
            return None
        self.pid = message.pid  # a launcher (Windows venv) may stand between us and the worker
        return message

    def open(self) -> tuple[int, Inbox]:
        """A new request's id and where its answers will come; `forget` it when done."""
        inbox = Inbox()
        with self._lock:
            self._next_id += 1
            self._inboxes[self._next_id] = inbox
            if self._death is not None:
                inbox.fail(self._death)
            return self._next_id, inbox

    def forget(self, request_id: int) -> None:
        """Throw away what still comes for this request."""
        with self._lock:
            inbox = self._inboxes.pop(request_id, None)
        if inbox is not None:
            inbox.close()

    def send(self, message: Message) -> None:
        """Write a message. A dead worker is no error here: the inbox says so. Raises: FrameTooLarge."""
        raw = encode(message)
        with self._writing:
            try:
                self._stdin.write(raw)
                self._stdin.flush()
            except (OSError, ValueError):  # ValueError: the pipe is closed already
                logger.debug("worker no longer listens", worker=self._name)

    def cancel(self, request_id: int) -> None:
        self.send(Cancel(request_id))

    def answers_ping(self, timeout_s: float) -> bool:
        """Whether the process still turns messages round, even if its engine does not."""
        request_id, inbox = self.open()
        try:
            self.send(Ping(request_id))
            return isinstance(inbox.take(timeout_s), Pong)
        except WorkerCrashed:
            return False
        finally:
            self.forget(request_id)

    def rename(self, name: str) -> None:
        """What logs and errors call it from now on."""
        self._name = name

    def expect_text(self, text: str) -> None:
        """Keep `text` out of what is kept of the worker's output."""
        self._ring.spoke(text)

    # --- ending ---------------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether it can be used; a process that has ended cannot, even while its last words are read."""
        with self._lock:
            return not self._exited.is_set() and not self._asked_to_end

    def on_death(self, callback: Callable[[WorkerCrashed], None]) -> None:
        """Call `callback` once, from another thread or at once, if the process ends (or ended) unasked."""
        with self._lock:
            if self._death is None:
                self._watchers.append(callback)
                return
            death, asked = self._death, self._asked_to_end
        if not asked:
            callback(death)

    def kill(self, reason: str) -> None:
        """End the process now; whoever waits for it hears of a crash, with `reason`. Returns at once."""
        with self._lock:
            self._killed_because = reason
        self._kill()

    def abandon(self) -> None:
        """End the process now, as asked. Returns at once; `end` waits."""
        with self._lock:
            self._asked_to_end = True
        self._kill()

    def end(self, grace_s: float) -> None:
        """Ask the worker to end, kill it after `grace_s`, return once it has ended. Idempotent.

        Raises: ModelTimeout when even the kill does not end it.
        """
        with self._lock:
            self._asked_to_end = True
        if grace_s > 0:
            self.send(Unload())
            self.ended.wait(grace_s)
        self._kill()
        if not self.ended.wait(_KILL_S):
            raise ModelTimeout(
                f"the worker {self._name} does not end", context={"phase": "unload", "pid": self.pid}
            )

    def _kill(self) -> None:
        if not self.ended.is_set():
            self._popen.kill()

    # --- threads --------------------------------------------------------------------------------------

    def _thread(self, role: str, work: Callable[[BinaryIO], None], stream: BinaryIO) -> threading.Thread:
        thread = threading.Thread(target=work, args=(stream,), name=f"{self._name}-{role}", daemon=True)
        thread.start()
        return thread

    def _read_frames(self, stream: BinaryIO) -> None:
        with stream:
            try:
                while (message := read_message(stream)) is not None:
                    self._deliver(message)
            except FrameError as error:
                if not self._exited.is_set():
                    logger.warning("worker sent no proper frame", worker=self._name, error=str(error))
        # A worker that closed its pipe cannot be spoken with any more, whatever else it does.
        if not self._exited.wait(_DRAIN_S):
            self.kill("it closed its pipe")

    def _deliver(self, message: Message) -> None:
        request_id = HELLO_ID if isinstance(message, Hello | Unload) else message.id
        with self._lock:
            inbox = self._inboxes.get(request_id)
        if inbox is not None:
            inbox.put(message)

    def _read_output(self, stream: BinaryIO) -> None:
        with stream:
            while raw := stream.readline(8_192):
                line = self._ring.append(raw.decode("utf-8", "replace"))
                logger.debug("worker output", worker=self._name, line=line.rstrip())

    def _wait(self) -> None:
        exit_code = self._popen.wait()
        self._exited.set()
        for reader in self._readers:
            reader.join(_DRAIN_S)
        with self._writing:
            try:
                self._stdin.close()
            except OSError:
                logger.debug("worker left unread messages", worker=self._name)
        with self._lock:
            death = self._death = self._epitaph(exit_code)
            inboxes = tuple(self._inboxes.values())
            watchers = () if self._asked_to_end else tuple(self._watchers)
        for inbox in inboxes:
            inbox.fail(death)
        self.ended.set()
        for watcher in watchers:
            watcher(death)

    def _epitaph(self, exit_code: int) -> WorkerCrashed:
        output = self._ring.text()
        why = self._killed_because
        if self._asked_to_end:
            message = f"{self._name} is not loaded any more"
        else:
            how = f"was ended because {why}" if why else f"ended by itself with exit code {exit_code}"
            message = f"the worker of {self._name} {how}"
            logger.warning("worker ended", worker=self._name, exit_code=exit_code, pid=self.pid, reason=why)
            logger.debug("last output of the worker", worker=self._name, output=output)
        return WorkerCrashed(
            message, context={"exit_code": exit_code, "last_output": output[-_LAST_OUTPUT_CHARS:]}
        )
