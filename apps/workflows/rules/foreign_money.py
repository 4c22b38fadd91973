"""What an order in another currency comes to in its own, and at which rate of which day Odoo reckons it.

The rate is the order's own in Odoo, of the day of the order. It moves when Odoo moves it, and everything that rests on it is
reckoned anew.
"""

from apps.core.figures import Figure, text
from apps.workflows import days
from apps.workflows.declare import Fact
from apps.workflows.sql_message import say

FIGURE = Figure("In the order's own currency", text)

IN_ITS_OWN = say(
    "{amount:money} {currency} at {rate:quantity} {currency} for 1 {ours}, of {day:day}",
    amount="r.amount_total",
    currency="f.name",
    rate="trim_scale(round(r.currency_rate, 6))",
    ours="c.name",
    day=days.day("r.date_order", at=days.zone()),
)

FACT = Fact(
    name="foreign",
    columns=["foreign_name"],
    sql=f"""
        SELECT {IN_ITS_OWN} AS foreign_name
          FROM mirror_res_company co
          JOIN mirror_res_currency c ON c.connection_id = co.connection_id AND c.odoo_id = co.currency_id
          JOIN mirror_res_currency f ON f.connection_id = co.connection_id AND f.odoo_id = r.currency_id
         WHERE co.connection_id = r.connection_id AND co.odoo_id = r.company_id AND co.currency_id <> r.currency_id
           AND r.currency_rate > 0
    """,
)
