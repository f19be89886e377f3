"""What the package itself registers, and strangers beside it."""

from __future__ import annotations

from importlib.metadata import EntryPoint

from alltalk_plugin.engines.specs import BUILT_IN
from alltalk_plugin.plugins import builtin
from alltalk_plugin.plugins.manager import BUILTIN, load_plugins


def test_builtin_when_loaded_then_brings_engines_hosts_and_detectors() -> None:
    plugins = load_plugins(())
    (listed,) = plugins.listing()
    assert (listed.name, listed.error) == (BUILTIN, None)
    assert {spec.name for spec in BUILT_IN} == set(plugins.engines)
    assert "espeak" in plugins.engines
    assert "plain" in plugins.hosts
    for name in ("py3langid", "lingua", "lingua-low", "pycld2", "none"):
        assert callable(plugins.language_detectors.get(name))


def test_strangers_when_they_come_in_any_order_then_loaded_by_name_after_ours() -> None:
    missing = [EntryPoint(name, "no_such_module_here", "alltalk_plugin") for name in ("zeta", "alpha")]
    plugins = load_plugins(missing)
    assert [one.name for one in plugins.listing()] == [BUILTIN, "alpha", "zeta"]
    assert all("ModuleNotFoundError" in str(one.error) for one in plugins.listing()[1:])


def test_stranger_when_it_takes_our_name_then_ours_stays() -> None:
    before = dict(load_plugins(()).engines)
    plugins = load_plugins([EntryPoint(BUILTIN, "alltalk_plugin.domain.clock", "alltalk_plugin")])
    assert plugins.engines == before
    assert "loaded already" in str(plugins.listing()[1].error)


def test_builtin_module_when_read_then_it_registers_everything_by_hooks() -> None:
    hooks = [name for name in vars(builtin) if name.startswith("alltalk_register_")]
    assert sorted(hooks) == list(load_plugins(()).listing()[0].hooks)
