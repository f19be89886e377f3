"""Profiles, and who speaks what."""
