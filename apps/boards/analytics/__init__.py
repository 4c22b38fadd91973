"""Analytics: paths, comparisons and event logs."""
