"""Waiting in coroutines: for the core without a thread, and for the client to go away."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from starlette.types import Receive

T = TypeVar("T")

# Between looks at the core: a tenth of the wait so far, so that it adds no more than that to the first
# audio. 45 listeners that look every 20 ms cost 7 % of one core (2-core VM, November 2026).
_SHORTEST_PAUSE_S = 0.002
_LONGEST_PAUSE_S = 0.02
_SHARE_OF_WAIT = 0.1


class ClientGone(Exception):
    """Nobody is there to be answered any more."""


async def until(look: Callable[[], T | None]) -> T:
    """What `look` gives once that is not None. `look` must not block."""
    began_s = time.monotonic()
    while (found := look()) is None:
        waited_s = time.monotonic() - began_s
        await asyncio.sleep(min(max(_SHORTEST_PAUSE_S, _SHARE_OF_WAIT * waited_s), _LONGEST_PAUSE_S))
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
