"""Writes a generator in formats that other programs load. docs/export.md shows how they load it."""
