"""One search for anything: records by name or number, references and tracking numbers, customers, suppliers, products.

Any part of a word is found by trigram indexes, at a million records too; two letters are looked for where a name begins or
ends. Of many that match, an exact name comes first, then one that begins so, then what is still open, then the newest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext

from apps.accounts.access import AccessScope
from apps.boards.boards.figures import rows
from apps.boards.search.partner_overview import partners_in_sight
from apps.workflows import registry

SHORTEST, LONGEST, MOST_WORDS = 2, 80, 5
PER_GROUP = 6
# So many that match are weighed against each other; of more, which ones is left to the index.
WEIGHED = 60

# "{match}" stands for the searched column; a part of it, or all of it.
RECORDS = """
SELECT k.name AS connection, f.workflow, f.model, f.odoo_id, f.name, f.partner_name, f.stage, f.is_open, f.amount, f.currency,
       f.found
  FROM ({sources}) AS f
  JOIN odoo_connection k ON k.id = f.connection_id
 ORDER BY lower(f.found) = lower(%(exact)s) DESC, f.found ILIKE %(prefix)s DESC, f.is_open DESC, f.id DESC
"""
COLUMNS = "p.id, p.connection_id, p.workflow, p.model, p.odoo_id, p.name, p.partner_name, p.stage, p.is_open, p.amount, p.currency"
BY_NAME = "(SELECT {columns}, p.name AS found FROM workflows_position p WHERE {match} AND {seen} LIMIT %(weighed)s)"
BY_REFERENCE = """
(SELECT {columns}, r.{column} AS found
   FROM (SELECT connection_id, odoo_id, {column} FROM {table} r
          WHERE r.{column} > '' AND r.deleted_at IS NULL AND {match} LIMIT %(weighed)s) AS r
   JOIN workflows_position p ON p.connection_id = r.connection_id AND p.model = '{model}' AND p.odoo_id = r.odoo_id AND {seen})
"""
REFERENCES = (
    ("mirror_sale_order", "client_order_ref", "sale.order"),
    ("mirror_purchase_order", "partner_ref", "purchase.order"),
    ("mirror_stock_picking", "carrier_tracking_ref", "stock.picking"),
)
# Also as people write them: "po 4711" for PO-4711, "s42" for S00042, one tracking number of several.
ALIKE = (
    *(("reference_key(r.{column}) = reference_key(%(exact)s)", one) for one in REFERENCES[:2]),
    ("reference_key(r.{column}) = reference_key(%(exact)s)", ("mirror_sale_order", "name", "sale.order")),
    ("reference_key(r.{column}) = reference_key(%(exact)s)", ("mirror_purchase_order", "name", "purchase.order")),
    ("tracking_keys(r.{column}) @> ARRAY[tracking_key(%(exact)s)]", REFERENCES[2]),
)

PARTNERS = """
SELECT k.name AS connection, f.odoo_id, f.name, f.city, f.ref,
       EXISTS (SELECT FROM mirror_purchase_order b
                WHERE b.connection_id = f.connection_id AND b.partner_id IN (f.odoo_id, f.commercial_partner_id))
       AND NOT EXISTS (SELECT FROM mirror_sale_order o
                        WHERE o.connection_id = f.connection_id AND o.partner_id IN (f.odoo_id, f.commercial_partner_id)
                          AND o.state IN ('draft', 'sent', 'sale')) AS is_vendor
  FROM ((SELECT r.* FROM mirror_res_partner r WHERE {by_name} AND r.deleted_at IS NULL AND {seen} LIMIT %(weighed)s)
         UNION
        (SELECT r.* FROM mirror_res_partner r
          WHERE r.ref > '' AND {by_ref} AND r.deleted_at IS NULL AND {seen} LIMIT %(weighed)s)) AS f
  JOIN odoo_connection k ON k.id = f.connection_id
 ORDER BY lower(f.name) = lower(%(exact)s) OR lower(f.ref) = lower(%(exact)s) DESC NULLS LAST, f.name ILIKE %(prefix)s DESC,
          COALESCE(f.active, TRUE) DESC, f.is_company DESC NULLS LAST, f.name, f.odoo_id
 LIMIT %(most)s
"""

PRODUCTS = """
SELECT k.name AS connection, f.odoo_id, f.name, f.default_code
  FROM ((SELECT pr.connection_id, pr.odoo_id, t.name, pr.default_code, pr.active
           FROM (SELECT * FROM mirror_product_template t
                  WHERE {by_name} AND t.deleted_at IS NULL AND {templates} LIMIT %(weighed)s) AS t
           JOIN mirror_product_product pr ON pr.connection_id = t.connection_id AND pr.product_tmpl_id = t.odoo_id
            AND pr.deleted_at IS NULL)
         UNION
        (SELECT pr.connection_id, pr.odoo_id, t.name, pr.default_code, pr.active
           FROM (SELECT * FROM mirror_product_product pr
                  WHERE pr.default_code > '' AND {by_code} AND pr.deleted_at IS NULL AND {products} LIMIT %(weighed)s) AS pr
           JOIN mirror_product_template t ON t.connection_id = pr.connection_id AND t.odoo_id = pr.product_tmpl_id)) AS f
  JOIN odoo_connection k ON k.id = f.connection_id
 ORDER BY lower(f.default_code) = lower(%(exact)s) OR lower(f.name) = lower(%(exact)s) DESC NULLS LAST,
          COALESCE(f.active, TRUE) DESC, f.name ILIKE %(prefix)s DESC, f.name, f.odoo_id
 LIMIT %(most)s
"""


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One thing that was found. ``matched`` is what matched, where that is not its name."""

    title: str
    detail: str
    href: str
    matched: str
    connection: str
    model: str
    odoo_id: int
    state: str = ""
    is_open: bool = False


@dataclass(frozen=True, kw_only=True)
class Group:
    """What was found of one kind."""

    title: str
    icon: str
    hits: list[Hit]


def like(text: str) -> str:
    """``text`` as LIKE takes it literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def find(text: str, *, access_scope: AccessScope) -> list[Group]:
    """What matches ``text``, grouped by kind; nothing for less than two letters."""
    text = " ".join(text.replace("\x00", "").split())[:LONGEST]
    if len(text) < SHORTEST:
        return []
    words = text.split()[:MOST_WORDS]
    values: dict[str, Any] = {
        "exact": text,
        "literal": like(text),
        "prefix": f"{like(text)}%",
        "within": f"%{like(text)}%",
        "weighed": WEIGHED,
        "most": PER_GROUP,
    }
    values |= {f"part_{number}": f"%{like(word)}%" for number, word in enumerate(words)}
    values |= {f"begin_{number}": f"{like(word)}%" for number, word in enumerate(words)}
    values |= {f"end_{number}": f"%{like(word)}" for number, word in enumerate(words)}
    return [
        *_records(words, values, access_scope),
        *_partners(words, values, access_scope),
        *_products(words, values, access_scope),
    ]


def _matches(column: str, words: list[str]) -> str:
    """Every word is somewhere in the column; one of two letters at its beginning or end, as trigrams need three."""
    return (
        "("
        + " AND ".join(
            f"{column} ILIKE %(part_{number})s"
            if len(word) > SHORTEST
            else f"({column} ILIKE %(begin_{number})s OR {column} ILIKE %(end_{number})s)"
            for number, word in enumerate(words)
        )
        + ")"
    )


def _is_exactly(column: str, words: list[str]) -> str:
    """The column is the text itself. Trigrams of a name's beginning are everybody's, so its inner ones are looked for."""
    if len(words) == 1 and len(words[0]) <= SHORTEST:
        return f"{column} ILIKE %(literal)s"
    return f"({column} ILIKE %(within)s AND lower({column}) = lower(%(exact)s))"


def _records(words: list[str], values: dict[str, Any], access_scope: AccessScope) -> Iterator[Group]:
    here = {"columns": COLUMNS, "seen": access_scope.sql("p")}
    sources = [
        BY_NAME.format(match=_is_exactly("p.name", words), **here),
        BY_NAME.format(match=_matches("p.name", words), **here),
        *(
            BY_REFERENCE.format(table=table, column=column, model=model, match=_matches(f"r.{column}", words), **here)
            for table, column, model in REFERENCES
        ),
        *(
            BY_REFERENCE.format(table=table, column=column, model=model, match=match.format(column=column), **here)
            for match, (table, column, model) in ALIKE
        ),
    ]
    groups: dict[str, list[Hit]] = {}
    known: set[tuple[str, str, int]] = set()
    workflows = registry.workflows()
    found = rows(RECORDS.format(sources=" UNION ALL ".join(sources)), values)
    for connection, workflow, model, odoo_id, name, partner, stage, is_open, _amount, _currency, matched in found:
        key = (connection, workflow, odoo_id)
        hits = groups.setdefault(workflow, [])
        if workflow not in workflows or key in known or len(hits) == PER_GROUP:
            continue
        known.add(key)
        titles = {one.name: gettext(one.title) for one in workflows[workflow].stages}
        hits.append(
            Hit(
                title=name,
                detail=partner,
                href=reverse("boards:record", args=[connection, model, odoo_id]),
                matched=matched if matched != name else "",
                connection=connection,
                model=model,
                odoo_id=odoo_id,
                state=titles.get(stage, stage),
                is_open=is_open,
            )
        )
    for name, workflow_of in workflows.items():
        if groups.get(name):
            yield Group(title=gettext(workflow_of.title), icon="file-text", hits=groups[name])


def _partners(words: list[str], values: dict[str, Any], access_scope: AccessScope) -> Iterator[Group]:
    statement = PARTNERS.format(
        by_name=_matches("r.name", words), by_ref=_matches("r.ref", words), seen=partners_in_sight(access_scope, "r")
    )
    hits = [
        Hit(
            title=name,
            detail=city or "",
            href=reverse("boards:vendor" if is_vendor else "boards:customer", args=[connection, odoo_id]),
            matched=ref or "",
            connection=connection,
            model="res.partner",
            odoo_id=odoo_id,
        )
        for connection, odoo_id, name, city, ref, is_vendor in rows(statement, values)
    ]
    if hits:
        yield Group(title=gettext("Customers and suppliers"), icon="users", hits=hits)


def _products(words: list[str], values: dict[str, Any], access_scope: AccessScope) -> Iterator[Group]:
    # A product is of no company: whoever sees any part of the connection may find it.
    statement = PRODUCTS.format(
        by_name=_matches("t.name", words),
        by_code=_matches("pr.default_code", words),
        templates=access_scope.sql("t", company="NULL::bigint"),
        products=access_scope.sql("pr", company="NULL::bigint"),
    )
    hits = [
        Hit(
            title=name or "",
            detail="",
            href=reverse("boards:product", args=[connection, odoo_id]),
            matched=code or "",
            connection=connection,
            model="product.product",
            odoo_id=odoo_id,
        )
        for connection, odoo_id, name, code in rows(statement, values)
    ]
    if hits:
        yield Group(title=gettext("Products"), icon="package", hits=hits)
