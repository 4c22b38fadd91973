"""The doors of the boards, one room a kind of page."""
