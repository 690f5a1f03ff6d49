"""Option values that the command line and the library share. Imports nothing."""

MAX_COUNT = 1_000_000  # images of one call
TRIES, MOST_VARIANTS = 4, 100  # for each digit of a number picture; rows of one
WALK_MODES = ("arithmetic", "interpolate", "sweep")  # walks in the latent space
EXPORT_SUFFIXES = {"npz": ".npz", "keras": ".keras", "savedmodel": "", "onnx": ".onnx"}
"""Formats of exported generators, and what their names end in; a SavedModel is a folder."""
FIGURE_FORMATS = ("png", "svg", "pdf")
