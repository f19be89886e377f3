"""New models without random numbers in them: each weight comes from a file. In the worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch.overrides import TorchFunctionMode

_RANDOM = frozenset(
    ["normal_", "uniform_", "kaiming_normal_", "kaiming_uniform_", "xavier_normal_", "xavier_uniform_"]
)
"""What fills a tensor with random numbers; by name, for transformers has its own of each."""


class Unfilled(TorchFunctionMode):  # type: ignore[misc]  # torch has no types here
    """While it lasts, new weights are left as they come. For models of which a load leaves none out.

    Random numbers for the 450 million weights of an XTTS were two thirds of the time that its load takes of
    the CPU; memory that nothing was written to is not taken from the system either.
    """

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: object,
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> object:
        named = dict(kwargs or {})
        if getattr(func, "__name__", None) in _RANDOM:
            return args[0] if args else named["tensor"]
        return func(*args, **named)
