"""Process findings: rework, ping-pong, skipped steps and the like, each with its records, its money and its time."""
