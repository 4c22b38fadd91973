"""The pages of a customer, a vendor and a product: what of them stands where, and how they have behaved."""
