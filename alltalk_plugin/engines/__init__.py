"""Engines: light specs here, the code behind their entry runs in a worker."""
