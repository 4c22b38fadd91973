"""Policies: what a request has to go through, who is asked, and within which limits."""
