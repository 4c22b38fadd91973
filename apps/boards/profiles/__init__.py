"""The page of a customer: what of it stands where, and how it has behaved."""
