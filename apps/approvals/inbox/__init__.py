"""The inbox: what waits for a person's decision, as pages and over the API."""
