"""Absence: what is asked meanwhile goes to the deputy."""
