"""Piper: VITS voices in ONNX files, phonemes by eSpeak NG."""
