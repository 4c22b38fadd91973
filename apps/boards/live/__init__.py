"""Live: what browsers are told while they are open."""
