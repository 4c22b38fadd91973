"""Units of measure, as SQL that facts and pages share: every quantity in the product's own unit, every price per that unit.

Lines, moves, purchases, invoices and vendors' prices each have a unit of their own: a dozen, a pallet, a kilogram. As Odoo
does, a quantity is converted by the factors of the two units. Where the unit, the product or its unit is not mirrored, the
quantity is taken to be in the product's own.

This is the only place that converts. What is compared or summed is converted first; what a command sends to Odoo goes in the
unit of the record that it is written on.
"""

from apps.workflows.sql_message import say

# How many of its reference unit a unit holds. Up to 18, which has no relative factor, Odoo keeps the reverse.
HOLDS = "CASE WHEN {unit}.relative_factor IS NULL THEN 1 / NULLIF({unit}.factor, 0) ELSE NULLIF({unit}.factor, 0) END"

# The column that names the unit: of lines of orders, purchases, invoices and transfers, and of vendors' prices; and of moves.
LINE, MOVE = "product_uom_id", "product_uom"


def ratio(unit: str, *, product: str, connection: str = "%(connection)s") -> str:
    """Return SQL for how many of the product's own unit one ``unit`` holds; 1 where that is not known.

    Args:
        unit, product, connection: SQL expressions of the ids.
    """
    return f"""
COALESCE((
  SELECT {HOLDS.format(unit="units_from")} / {HOLDS.format(unit="units_own")}
    FROM mirror_product_product units_product
    JOIN mirror_product_template units_template ON units_template.connection_id = units_product.connection_id
     AND units_template.odoo_id = units_product.product_tmpl_id
    JOIN mirror_uom_uom units_own ON units_own.connection_id = units_template.connection_id
     AND units_own.odoo_id = units_template.uom_id
    JOIN mirror_uom_uom units_from ON units_from.connection_id = units_own.connection_id AND units_from.odoo_id = {unit}
   WHERE units_product.connection_id = {connection} AND units_product.odoo_id = {product}
     AND units_from.odoo_id <> units_own.odoo_id), 1)"""


def ratio_of(row: str, unit: str = LINE) -> str:
    """Return :func:`ratio` for a row that has a product.

    Args:
        row: the alias of the row.
        unit: the column that names its unit.
    """
    return ratio(f"{row}.{unit}", product=f"{row}.product_id", connection=f"{row}.connection_id")


def own(quantity: str, row: str, unit: str = LINE) -> str:
    """Return SQL for a quantity of a row, in the product's own unit.

    Args:
        quantity: SQL expression in the row's unit.
        row, unit: as for :func:`ratio_of`.
    """
    return f"round(({quantity}) * {ratio_of(row, unit)}, 6)"


def is_unknown(unit: str, *, connection: str = "%(connection)s") -> str:
    """Return SQL for whether a unit is named that is not mirrored, so that nothing is known of what it holds."""
    return f"""
({unit} IS NOT NULL AND NOT EXISTS (
  SELECT FROM mirror_uom_uom units_known WHERE units_known.connection_id = {connection} AND units_known.odoo_id = {unit}))"""


def name_of(unit: str, *, connection: str = "%(connection)s") -> str:
    """Return SQL for the name of a unit; NULL where it is not mirrored."""
    return f"""(
  SELECT units_named.name FROM mirror_uom_uom units_named
   WHERE units_named.connection_id = {connection} AND units_named.odoo_id = {unit})"""


def own_name(product: str, *, connection: str = "%(connection)s") -> str:
    """Return SQL for the name of the product's own unit; NULL where it is not mirrored."""
    return f"""(
  SELECT units_named.name
    FROM mirror_product_product units_product
    JOIN mirror_product_template units_template ON units_template.connection_id = units_product.connection_id
     AND units_template.odoo_id = units_product.product_tmpl_id
    JOIN mirror_uom_uom units_named ON units_named.connection_id = units_template.connection_id
     AND units_named.odoo_id = units_template.uom_id
   WHERE units_product.connection_id = {connection} AND units_product.odoo_id = {product})"""


def product_in(product: str, row: str, unit: str = LINE) -> str:
    """Return SQL (jsonb) of a product's name, with the row's unit where that is not the product's own.

    Args:
        product: SQL expression of the name.
        row, unit: as for :func:`ratio_of`.
    """
    return say(
        "{product}",
        when={f"{ratio_of(row, unit)} <> 1": "{product}, in {unit} of {holds:quantity} {own}"},
        product=product,
        unit=name_of(f"{row}.{unit}", connection=f"{row}.connection_id"),
        holds=f"trim_scale({ratio_of(row, unit)})",
        own=own_name(f"{row}.product_id", connection=f"{row}.connection_id"),
    )
