"""Requests: opened, decided, evaluated again, undone and closed."""
