"""Playbooks of exceptions: their versions, the progress of cases, and what their figures say."""
