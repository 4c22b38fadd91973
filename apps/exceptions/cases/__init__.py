"""Cases: opened and resolved as the records say, moved by people, timed."""
