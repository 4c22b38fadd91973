"""Figures that come to people by themselves: reports at set hours, and alerts when a KPI leaves its target."""
