"""Rules that a workflow enforces in Odoo, each with its figures, its exception, its approval and its guard."""
