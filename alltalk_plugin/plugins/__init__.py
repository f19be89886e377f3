"""The only place that knows pluggy: hook specs, guarded manager, registries.

A plugin needs one name from here: `from alltalk_plugin.plugins import hookimpl`.
"""

from alltalk_plugin.plugins.hookspecs import hookimpl

__all__ = ["hookimpl"]
