"""Waiting in coroutines: for the core without a thread, and for the client to go away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

T = TypeVar("T")

# Between looks at the core. Short at first, for the first audio; long enough later that a hundred waiting
# listeners cost a few percent of one core.
_FIRST_LOOK_S = 0.002
_LONGEST_LOOK_S = 0.02


class ClientGone(Exception):
    """Nobody is there to be answered any more."""


async def until(look: Callable[[], T | None]) -> T:
    """What `look` gives once that is not None. `look` must not block."""
    pause_s = _FIRST_LOOK_S
    while (found := look()) is None:
        await asyncio.sleep(pause_s)
        pause_s = min(pause_s * 1.5, _LONGEST_LOOK_S)
    return found


async def while_there(receive: Receive, work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which is cancelled as soon as the client goes. Raises: ClientGone."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_gone(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone
        return working.result()
    finally:
        for task in (working, leaving):
            task.cancel()
            with contextlib.suppress(
                asyncio.CancelledError, Exception
            ):  # its error, if any, was raised above
                await task


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
