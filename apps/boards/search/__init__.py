"""Search: records, partners and products."""
