"""The handful of gradio that a panel uses: components that remember what they were made with and wired to."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, Self

Handler = Callable[..., Any]


class Component:
    """`events` maps an event's name to (handler, inputs, outputs)."""

    kinds: tuple[str, ...] = ("change", "input", "submit", "blur", "click", "load")

    def __init__(self, *values: Any, **options: Any) -> None:
        self.values = values
        self.options = options
        self.events: dict[str, tuple[Handler, list[Component], list[Component]]] = {}
        Page.built.append(self)

    def __getattr__(self, name: str) -> Any:
        if name not in type(self).kinds:
            raise AttributeError(name)

        def on(handler: Handler, inputs: Any = None, outputs: Any = None, **_options: Any) -> None:
            self.events[name] = (handler, inputs or [], outputs or [])

        return on

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        pass


class Page(Component):
    """Blocks: what the host serves once `is_running`."""

    built: list[Component] = []  # noqa: RUF012 - of the page that is being built, as gradio's context is

    def __init__(self) -> None:
        Page.built = []
        super().__init__()
        self.is_running = False
        self.app: Any = None


def module(*, without: tuple[str, ...] = (), events: tuple[str, ...] = Component.kinds) -> ModuleType:
    """A `gradio` that lacks the names in `without`; its components have these `events`."""
    gradio = ModuleType("gradio")
    for name in ("Accordion", "Row", "HTML", "Button", "Checkbox", "Dropdown", "Textbox", "State"):
        if name not in without:
            setattr(gradio, name, type(name, (Component,), {"kinds": events}))
    if "update" not in without:
        vars(gradio)["update"] = lambda **look: look
    return gradio
