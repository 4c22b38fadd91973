"""The boards: stages, flows, targets and forecasts."""
