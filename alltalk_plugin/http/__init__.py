"""The HTTP rim: the only place that knows ASGI."""
