"""Activities in Odoo: exceptions shown where Odoo's users work."""
