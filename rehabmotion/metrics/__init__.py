"""Metrics as functions of arrays; nothing here knows a model, a corpus or a file."""
