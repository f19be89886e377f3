"""The locks that come with the package."""

from __future__ import annotations

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from alltalk_plugin.domain.engines import EngineEnvironment, EngineSpec
from alltalk_plugin.engines.specs import BUILT_IN
from alltalk_plugin.environments.recipe import pins

INSTALLED = [spec for spec in BUILT_IN if spec.environment is not None]


def environment(spec: EngineSpec) -> EngineEnvironment:
    assert spec.environment is not None
    return spec.environment


@pytest.mark.parametrize("spec", INSTALLED, ids=lambda spec: spec.name)
def test_lock_when_read_then_exact_versions_without_local_parts_once_each(spec: EngineSpec) -> None:
    lines = [Requirement(line) for line in pins(environment(spec))]
    for line in lines:
        (pin,) = line.specifier
        assert pin.operator == "=="
        assert Version(pin.version).local is None
    assert len({canonicalize_name(line.name) for line in lines}) == len(lines)
    head = environment(spec).lock.read_text(encoding="utf-8").splitlines()[:2]
    assert re.search(r"^# .*pip", head[0])
    assert re.search(r"^# Made on [\w-]+, Python 3\.\d+\.\d+, 20\d\d-\d\d-\d\d", head[1])


@pytest.mark.parametrize("spec", INSTALLED, ids=lambda spec: spec.name)
def test_lock_when_compared_with_the_spec_then_it_has_what_the_steps_and_the_engine_want(
    spec: EngineSpec,
) -> None:
    locked = {canonicalize_name(one.name): one for one in map(Requirement, pins(environment(spec)))}
    wanted = [one for step in environment(spec).steps for one in step.requirements]
    for requirement in map(Requirement, (*wanted, *spec.distributions)):
        (pin,) = locked[canonicalize_name(requirement.name)].specifier
        assert requirement.specifier.contains(pin.version), requirement
    assert "numpy" in locked  # the worker's own files need it
    assert environment(spec).tried
    assert environment(spec).size_mb > 50
