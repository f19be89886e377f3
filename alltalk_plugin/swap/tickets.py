"""A swap that was asked for, as its asker sees it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from alltalk_plugin.domain.errors import AlltalkError, ModelTimeout
from alltalk_plugin.domain.models import SwapOutcome, SwapPlan


class Ticket:
    """Satisfies `SwapTicket`. Thread-safe; the swap owner settles it, once."""

    def __init__(self, ticket_id: str, plan: SwapPlan, cancel: Callable[[], None]) -> None:
        self._id = ticket_id
        self._plan = plan
        self._cancel = cancel
        self._settled = threading.Event()
        self._outcome: SwapOutcome | None = None
        self._error: AlltalkError | None = None

    @property
    def id(self) -> str:
        return self._id

    @property
    def plan(self) -> SwapPlan:
        """What the swap would do as things stood when it was asked for."""
        return self._plan

    @property
    def outcome(self) -> SwapOutcome | None:
        return self._outcome

    @property
    def error(self) -> AlltalkError | None:
        return self._error

    def wait(self, timeout_s: float | None = None) -> SwapOutcome:
        """Block until it ended. Raises: ModelTimeout when it did not in time."""
        self._settled.wait(timeout_s)
        if self._outcome is None:
            raise ModelTimeout(
                f"the switch to {self._plan.target} still runs",
                hint="It goes on; ask again for its outcome.",
                context={"model": self._plan.target, "waited_s": timeout_s},
            )
        return self._outcome

    def cancel(self) -> None:
        """Ask for the swap to stop; what others wait for goes on. Returns at once."""
        self._cancel()

    def settle(self, outcome: SwapOutcome, error: AlltalkError | None) -> None:
        self._error = error
        self._outcome = outcome
        self._settled.set()
