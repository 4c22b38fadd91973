"""Money as Odoo counts it: rounded once, at the end, to the smallest sum of the company's currency.

Guards compute in Odoo's binary floats, facts in decimals. Both round a result to eight digits first, which takes away what floats
add behind the last digit that means something, and then by the currency: so both come to the same last digit. Guards write
``currency.round(round(value, 8))``, facts :func:`rounded`.
"""

SMALLEST_OF_CURRENCY = "COALESCE(trim_scale(NULLIF(c.rounding, 0)), trim_scale(power(10::numeric, -c.decimal_places)))"


def smallest(row: str = "r") -> str:
    """SQL of the smallest sum of the currency of the company of a record: 1 for yen, 0.001 for dinars, 0.05 for francs in coins.

    Args:
        row: the alias of the record.
    """
    return f"""COALESCE((SELECT {SMALLEST_OF_CURRENCY}
                     FROM mirror_res_company co
                     JOIN mirror_res_currency c ON c.connection_id = co.connection_id AND c.odoo_id = co.currency_id
                    WHERE co.connection_id = {row}.connection_id AND co.odoo_id = {row}.company_id), 0.01)"""


def smallest_in(row: str) -> str:
    """SQL of the smallest sum of the currency that a row itself is in.

    Args:
        row: the alias of the row.
    """
    return f"""COALESCE((SELECT {SMALLEST_OF_CURRENCY} FROM mirror_res_currency c
                     WHERE c.connection_id = {row}.connection_id AND c.odoo_id = {row}.currency_id), 0.01)"""


# Of the record ``r``.
SMALLEST = smallest()

# The companies whose debts count together: the root of the company of ``r`` and all branches below it, as Odoo's own ``credit``
# counts them. They share a currency. Where the root is hidden from the tower's login, the company alone.
FAMILY = """COALESCE((
                WITH RECURSIVE up AS (
                  SELECT c.odoo_id, c.parent_id FROM mirror_res_company c
                   WHERE c.connection_id = r.connection_id AND c.odoo_id = r.company_id
                   UNION
                  SELECT c.odoo_id, c.parent_id
                    FROM up JOIN mirror_res_company c ON c.connection_id = r.connection_id AND c.odoo_id = up.parent_id
                ), family AS (
                  SELECT up.odoo_id FROM up WHERE up.parent_id IS NULL
                   UNION
                  SELECT c.odoo_id
                    FROM family JOIN mirror_res_company c ON c.connection_id = r.connection_id AND c.parent_id = family.odoo_id
                )
                SELECT array_agg(odoo_id) FROM family), ARRAY[r.company_id])"""


def in_company(column: str, row: str, company: str = "r.company_id") -> str:
    """SQL of the company-dependent ``column`` of ``row`` in ``company``; as the tower's login has it where that is not known."""
    return f"COALESCE(({row}.{column}_by_company ->> {company}::text)::numeric, {row}.{column})"


def price(value: str) -> str:
    """SQL of a price by the unit: finer than its currency where it is, and no shorter than prices are written."""
    return f"round({value}, GREATEST(2, min_scale(round({value}, 6))))"


def rounded(value: str, smallest: str = "g.smallest") -> str:
    """SQL of ``value`` as money; ``smallest`` is SQL of the smallest sum that there is of it."""
    return f"mirror_rounded({value}, {smallest})"
