"""Bulk jobs: moves of many exceptions at once, followed, with a result for each, and undone."""
