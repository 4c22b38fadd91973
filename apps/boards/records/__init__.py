"""One record: where it stands, its past and its paths."""
