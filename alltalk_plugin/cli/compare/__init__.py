"""`compare`: the same sentences through several models."""

from alltalk_plugin.cli.compare.command import compare

__all__ = ["compare"]
