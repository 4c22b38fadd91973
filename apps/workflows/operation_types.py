"""Which of a warehouse's operation types Odoo itself takes: for what comes in, goes out, and moves within."""

from typing import Literal

type Kind = Literal["incoming", "outgoing", "internal"]

COLUMNS: dict[Kind, str] = {"incoming": "in_type_id", "outgoing": "out_type_id", "internal": "int_type_id"}


def of_warehouse(kind: Kind, warehouse: str) -> str:
    """Return SQL for the operation type, as an id in Odoo: the warehouse's own for that kind, NULL where it is not known.

    A warehouse has others of the same kind: picking, packing and storage are ``internal`` too, and most are archived. Only
    where the warehouse was not read since the tower knows the column does its first of the kind stand in.

    Args:
        warehouse: SQL for the warehouse's id in Odoo.
    """
    return f"""COALESCE(
      (SELECT wh.{COLUMNS[kind]} FROM mirror_stock_warehouse wh
        WHERE wh.connection_id = %(connection)s AND wh.odoo_id = {warehouse}),
      (SELECT min(pt.odoo_id) FROM mirror_stock_picking_type pt
        WHERE pt.connection_id = %(connection)s AND pt.code = '{kind}' AND pt.warehouse_id = {warehouse}
          AND pt.deleted_at IS NULL))"""
