"""Moves a loaded model to another device, whole or not at all. In the worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import torch

from alltalk_plugin.domain.errors import ModelIncompatible
from alltalk_plugin.engines.coqui import failures

Copy = Callable[[torch.Tensor], torch.Tensor]


def move(parts: Sequence[torch.nn.Module], device: torch.device) -> None:
    """Move all parts of a model.

    Raises: OutOfMemory, ModelIncompatible; then everything is where it was.
    """
    try:
        replace(parts, lambda tensor: tensor.to(device))
    except Exception as error:
        failures.raise_out_of_memory(error)
        raise ModelIncompatible(
            f"the model cannot be moved to {device}: {type(error).__name__}",
            hint="It goes on where it is. Unload it and load it for the other device.",
            context={"device": str(device), "reason": type(error).__name__},
        ) from error


def replace(parts: Sequence[torch.nn.Module], copy: Copy) -> None:
    """Put a copy in the place of each tensor, once there is one of each; of what it raises nothing stays.

    `Module.to` moves one tensor after the other, and leaves a model half moved when memory runs out. Both
    copies exist for a moment, but on devices of their own, where each has room for the whole model anyway.
    """
    before = {id(tensor): tensor for tensor in _tensors(parts)}
    after: dict[int, torch.Tensor] = {}
    back: dict[int, torch.Tensor] = {}
    try:
        with torch.no_grad():
            for key, tensor in before.items():
                after[key] = copy(tensor)
            # A parameter stays the object it is and gets other memory: what it had is kept here.
            back = {key: tensor.detach() for key, tensor in before.items()}
            try:
                _exchange(parts, after)
            except BaseException:
                back |= {id(after[key]): tensor for key, tensor in back.items()}
                _exchange(parts, back)
                raise
    finally:
        # An error keeps this frame alive, and with it whatever these hold.
        for held in (before, after, back):
            held.clear()


def _tensors(parts: Iterable[torch.nn.Module]) -> Iterator[torch.Tensor]:
    for part in parts:
        yield from part.parameters()
        yield from part.buffers()
        for module in part.modules():
            yield from _plain(module).values()


def _plain(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """What lies beside parameters and buffers: prompts kept from the last utterance and their like."""
    return {name: value for name, value in vars(module).items() if isinstance(value, torch.Tensor)}


def _exchange(parts: Iterable[torch.nn.Module], others: dict[int, torch.Tensor]) -> None:
    def other(tensor: torch.Tensor) -> torch.Tensor:
        return others.get(id(tensor), tensor)

    for part in parts:
        part._apply(other)  # noqa: SLF001  what Module.to is made of; layers with more to do extend it
        for module in part.modules():
            for name, value in _plain(module).items():
                setattr(module, name, other(value))
