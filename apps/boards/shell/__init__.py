"""The shell: home, first steps, parameters."""
