"""What workflows watch or enforce: each with its figures and its exception, and where Odoo is to refuse, its approval and guard."""
