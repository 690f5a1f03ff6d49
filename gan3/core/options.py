"""Option values that the command line and the library share. Imports nothing."""

WALK_MODES = ("arithmetic", "interpolate", "grid", "sweep")  # of walks in the latent space
EXPORT_SUFFIXES = {"npz": ".npz", "keras": ".keras", "savedmodel": "", "onnx": ".onnx"}
"""Formats of exported generators, and what their names end in; a SavedModel is a folder."""
