"""One suite over every engine that comes with the package."""
