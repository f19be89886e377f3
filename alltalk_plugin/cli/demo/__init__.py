"""`demo`: a sample chat, spoken, with a page to look at and listen to."""

from alltalk_plugin.cli.demo.command import demo

__all__ = ["demo"]
