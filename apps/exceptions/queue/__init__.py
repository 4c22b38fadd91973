"""The queue: filtered, sorted, grouped, exported, as pages and over the API."""
