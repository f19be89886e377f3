"""Kokoro: one model of 82 million parameters with many voices, phonemes by eSpeak NG."""
