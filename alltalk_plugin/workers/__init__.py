"""Parent side of the processes that hold models."""
