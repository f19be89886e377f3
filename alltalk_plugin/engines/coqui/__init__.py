"""Coqui TTS: VITS, XTTS and the models of two parts, each checked before it is loaded."""
