"""A worker's main: started by path, with the interpreter of the engine's own environment.

Our package is not installed there. It is made importable from this file's own folder and nothing else is:
the packages beside it belong to the service, and the engine must not find them.
"""

import importlib.util
import os
import sys

OLDEST_PYTHON = (3, 11)


def adopt_package() -> None:
    """Make `alltalk_plugin` importable as the folder above this file."""
    folder = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120  # pathlib is not imported yet: this runs before everything
    spec = importlib.util.spec_from_file_location(
        "alltalk_plugin",
        os.path.join(folder, "__init__.py"),  # noqa: PTH118  # as above
        submodule_search_locations=[folder],
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"no package in {folder}")
    package = importlib.util.module_from_spec(spec)
    sys.modules["alltalk_plugin"] = package
    spec.loader.exec_module(package)


if __name__ == "__main__":
    if sys.version_info < OLDEST_PYTHON:
        sys.exit("the engine's environment needs Python {}.{} or newer".format(*OLDEST_PYTHON))
    adopt_package()

    from alltalk_plugin.engines.session import main

    main(sys.argv[1:])
