"""Service side of each host."""
