"""What shows in Odoo that the tower holds a record: fields of it, and a line on its form."""

from textwrap import dedent

from django.conf import settings

from apps.odoo.blueprint import CustomField, ViewPatch
from apps.odoo.models import Connection

URL = """\
for record in self:
    is_shown = record.x_ct_hold and not self.env.user.share
    record['x_ct_url'] = {place!r} % (record._name, record.id) if is_shown else False
"""


def place(connection: Connection) -> str:
    """The address at which a record is found in the tower, with ``%s`` for its model and its id."""
    return f"{settings.PUBLIC_URL}/records/{connection.name}/%s/%s/"


def url_code(connection: Connection) -> str:
    """The code that works out where a held record is found in the tower, for who works in Odoo: portal users read nothing."""
    return URL.format(place=place(connection))


def hold_fields(model: str) -> tuple[CustomField, ...]:
    """The fields by which the tower holds a record of ``model``."""
    return (
        CustomField(model, "x_ct_hold", "char", "Held for", "The approval that this record waits for", True),
        CustomField(model, "x_ct_hold_reason", "text", "Why it is held", tower_only=True),
        CustomField(model, "x_ct_rejected", "boolean", "Rejected", "Held since its approval was rejected", True),
        CustomField(model, "x_ct_url", "char", "In Control Tower", compute=url_code),
    )


def hold_banner(model: str, form: str) -> ViewPatch:
    """The line on the form with the external id ``form`` that says that a record is held, why, and where to look."""
    return ViewPatch(
        "hold banner",
        model,
        form,
        dedent("""\
            <xpath expr="//sheet" position="before">
                <field name="x_ct_hold" invisible="1"/>
                <field name="x_ct_rejected" invisible="1"/>
                <div class="alert alert-warning mb-2" role="alert" invisible="not x_ct_hold or x_ct_rejected">
                    <strong>Waits for a decision in Control Tower</strong>
                    <field name="x_ct_hold_reason" readonly="1" nolabel="1"/>
                    <field name="x_ct_url" widget="url" text="See where it stands" readonly="1" nolabel="1"/>
                </div>
                <div class="alert alert-danger mb-2" role="alert" invisible="not x_ct_hold or not x_ct_rejected">
                    <strong>Rejected in Control Tower</strong>
                    <field name="x_ct_hold_reason" readonly="1" nolabel="1"/>
                    <field name="x_ct_url" widget="url" text="See the decision" readonly="1" nolabel="1"/>
                </div>
            </xpath>"""),
    )
