"""Speak chat replies: every character, the narrator and each language in its own voice."""

__version__ = "0.1.0"
