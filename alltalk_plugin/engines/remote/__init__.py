"""Voices of a speech server elsewhere that speaks the OpenAI speech API."""
