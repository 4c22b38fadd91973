"""What the stand-in company cannot do, said loudly where somebody asks for it: an Odoo has it, and a test needs a real one."""

USE_REAL = "Use a real Odoo (make test-odoo) for it"

ABSENT_MODELS = {
    "mrp.bom": "the stand-in has no bills of materials and no kits",
    "mrp.bom.line": "the stand-in has no bills of materials and no kits",
    "mrp.production": "the stand-in manufactures nothing",
    "stock.route": "the stand-in has no routes: no dropship, no make to order, no resupply",
    "stock.rule": "the stand-in has no rules of routes",
    "stock.package": "the stand-in has no packages",
    "stock.picking.batch": "the stand-in has no batches of transfers",
}
STEPS = "the stand-in's warehouses deliver and receive in one step"
ROUTES = "the stand-in has no routes: no dropship, no make to order, no resupply"
ABSENT_FIELDS = {
    "delivery_steps": STEPS,
    "reception_steps": STEPS,
    "route_ids": ROUTES,
    "route_id": ROUTES,
    "resupply_wh_ids": ROUTES,
    "bom_ids": "the stand-in has no bills of materials and no kits",
}
ABSENT_VALUES = {
    ("stock.picking.type", "code", "dropship"): "The stand-in has no vendors who deliver to customers",
    ("stock.picking.type", "code", "mrp_operation"): "The stand-in manufactures nothing",
}
