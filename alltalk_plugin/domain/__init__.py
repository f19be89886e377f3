"""The words the rest of the package speaks in: values, errors and ports. Standard library and numpy only."""
