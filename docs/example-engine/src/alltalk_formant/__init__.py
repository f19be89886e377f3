"""Two voices made of harmonics and noise: an engine of a third party, from end to end."""

__version__ = "1.0"
