"""Measurements of the tower, each beside its peer in the same run."""
