"""The company as it is on its first day: settings, people, goods, and three months of business."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox import history, past, tracking
from sandbox.engine import Engine
from sandbox.records import Env
from sandbox.schema import standard
from sandbox.store import Transaction

Row = dict[str, Any]
PEOPLE = (
    (1, "__system__", "OdooBot", False, ()),
    (2, "admin", "Mitchell Admin", True, ("base.group_system", "base.group_user", "purchase.group_purchase_manager")),
    (5, "tower", "Control Tower", True, ("base.group_system", "base.group_user")),
    (6, "sofia", "Sofia Lindqvist", True, ("base.group_user", "sales_team.group_sale_salesman")),
    (7, "sam", "Sam Okafor", True, ("base.group_user", "sales_team.group_sale_salesman")),
    (8, "paula", "Paula Brandt", True, ("base.group_user", "purchase.group_purchase_user")),
    (9, "ada", "Ada Moreau", True, ("base.group_user", "account.group_account_invoice")),
    # Those who decide in the tower have users here too, with which they do nothing.
    (10, "olga", "Olga Operator", True, ("base.group_user",)),
    (11, "adam", "Adam Approver", True, ("base.group_user",)),
    (12, "mia", "Mia Manager", True, ("base.group_user",)),
    (13, "anna", "Anna Admin", True, ("base.group_user",)),
    (14, "nils", "Nils Haugen", True, ("base.group_user",)),
    (15, "lena", "Lena Vogt", True, ("base.group_user",)),
)
ADMIN, SELLERS, BUYER, ACCOUNTANT = 2, (6, 7), 8, 9
GROUPS = (
    ("base.group_user", "Role / User"),
    ("base.group_system", "Role / Administrator"),
    ("sales_team.group_sale_salesman", "User: Own Documents Only"),
    ("purchase.group_purchase_user", "User"),
    ("account.group_account_invoice", "Invoicing"),
    ("purchase.group_purchase_manager", "Administrator"),
)
WAREHOUSES = (("Hamburg", "WH"), ("Lyon", "LY"))
TRANSFERS = (("in_type_id", "Receipts", "incoming", "IN"), ("out_type_id", "Delivery Orders", "outgoing", "OUT"))
TICKET_STAGES = (("New", True, False), ("In Progress", False, False), ("Awaiting", False, False), ("Done", False, True))
SUPPLIER_PLACE, CUSTOMER_PLACE = 1, 2
RECEIVABLE, PAYABLE, INCOME, EXPENSE, BANK = 1, 2, 3, 4, 5
TOWNS = ("Hamburg", "Lyon", "Turin", "Ghent", "Porto", "Malmo", "Brno", "Graz", "Cork", "Leeds", "Aarhus", "Vigo")
TRADES = (
    "Bakery Supply",
    "Cycle Works",
    "Interiors",
    "Lighting",
    "Hotel Group",
    "Garden Centre",
    "Office Outfitters",
    "Joinery",
    "School Furniture",
    "Kitchen Studio",
)
GOODS = ("Desk", "Chair", "Lamp", "Shelf", "Cabinet", "Table", "Bench", "Drawer", "Partition", "Stool", "Locker")
MAKES = ("Alder", "Birch", "Cedar", "Oak", "Steel", "Walnut")
SUPPLIERS = ("Nordic Timber", "Baltic Fittings", "Alpine Steel", "Rhine Upholstery", "Iberia Glass", "Danube Boards")
# Germany, under the number that it has in Odoo.
COUNTRY = 57
HISTORY_FROM = 2_000


def fill(company: Engine) -> None:
    """Make everything, the same for the same seed and day."""
    midnight = datetime.now(UTC).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    attach_history(company)
    cr = Transaction(company.store, _stamp(midnight - timedelta(days=400)), [])
    _settings(company, cr)
    company.refresh_settings()
    env = Env(company, cr, 1, su=True)
    chance = random.Random(company.seed)
    _goods(env, chance)
    _partners(env, chance)
    past.live(env, chance, orders=company.orders if not _history_length(company) else HISTORY_FROM // 5, until=midnight)
    cr.undo.clear()
    cr.after_commit.clear()


def _history_length(company: Engine) -> int:
    """How many orders of a large company are computed instead of kept."""
    return max(company.orders - HISTORY_FROM // 5, 0) if company.orders > HISTORY_FROM else 0


def attach_history(company: Engine) -> None:
    """Give a large company its long history."""
    if length := _history_length(company):
        history.attach(company.store, length=length, seed=company.seed)


def _stamp(at: datetime) -> str:
    return at.isoformat(" ", "microseconds")


def _settings(company: Engine, cr: Transaction) -> None:
    marks: list[tuple[str, str, int]] = []

    def put(model: str, odoo_id: int, /, **values: Any) -> int:
        stamp = {"create_date": cr.now, "write_date": cr.now, "create_uid": 1, "write_uid": 1}
        cr.put(model, odoo_id, {"id": odoo_id, **stamp, **values})
        table = company.store.table(model)
        table.next_id = max(table.next_id, odoo_id + 1)
        return odoo_id

    field_id = 1
    for number, (model, fields) in enumerate(standard().items(), 1):
        put("ir.model", number, name=model.replace(".", " ").title(), model=model, state="base", transient=False)
        for field in fields.values():
            shown = company.shape.then(model, field.name)
            if not shown:
                continue
            put(
                "ir.model.fields",
                field_id,
                name=shown,
                model=model,
                model_id=number,
                ttype=field.type,
                field_description=field.string,
                state="base",
                relation=field.relation or False,
                store=field.store,
                required=field.required,
                copied=True,
                help=False,
                tracking=100 if field.name in tracking.TRACKED.get(model, ()) else 0,
            )
            if (model, field.name) == ("sale.order", "state"):
                for order, state in enumerate(("draft", "sent", "sale", "cancel"), 1):
                    put("ir.model.fields.selection", order, field_id=field_id, value=state, name=state, sequence=order)
            field_id += 1
    put("res.country", COUNTRY, name="Germany", code="DE")
    put("res.currency", 1, name="EUR", symbol="€", decimal_places=2, rounding=0.01, active=True)
    put(
        "res.partner",
        1,
        name="Tern & Tide GmbH",
        tz="Europe/Berlin",
        is_company=True,
        active=True,
        commercial_partner_id=1,
        credit_limit=0.0,
    )
    put("resource.calendar", 1, name="Standard 40 hours/week", tz="Europe/Berlin")
    put(
        "res.company",
        1,
        name="Tern & Tide GmbH",
        currency_id=1,
        partner_id=1,
        resource_calendar_id=1,
        account_use_credit_limit=True,
        po_double_validation="one_step",
        po_double_validation_amount=5_000.0,
    )
    for number, (name, label) in enumerate(GROUPS, 1):
        put("res.groups", number, name=label, user_ids=[one[0] for one in PEOPLE if name in one[4]])
        marks.append((name, "res.groups", number))
    for odoo_id, login, name, active, _ in PEOPLE:
        partner = odoo_id + 1
        email = f"{login.strip('_')}@tern-and-tide.example"
        put(
            "res.partner",
            partner,
            name=name,
            email=email,
            active=active,
            is_company=False,
            commercial_partner_id=partner,
            company_id=False,
            credit_limit=0.0,
        )
        put(
            "res.users",
            odoo_id,
            name=name,
            login=login,
            email=email,
            active=active,
            partner_id=partner,
            company_id=1,
            company_ids=[1],
            share=False,
            lang="en_US",
            tz="Europe/Berlin",
        )
    put("res.users.apikeys", 1, name="Control Tower", user_id=5, expiration_date=False, scope="rpc")
    put("crm.team", 1, name="Sales", active=True, company_id=1)
    put("uom.uom", 1, name="Units", factor=1.0, relative_factor=1.0, relative_uom_id=False, active=True)
    put("uom.uom", 2, name="Dozen", factor=12.0, relative_factor=12.0, relative_uom_id=1, active=True)
    put("stock.location", 1, name="Vendors", complete_name="Partners/Vendors", usage="supplier", active=True)
    put("stock.location", 2, name="Customers", complete_name="Partners/Customers", usage="customer", active=True)
    put(
        "stock.location",
        3,
        name="Inventory adjustment",
        complete_name="Virtual Locations/Inventory adjustment",
        usage="inventory",
        active=True,
    )
    for number, (name, code) in enumerate(WAREHOUSES, 1):
        stock = put(
            "stock.location",
            7 + number,
            name="Stock",
            complete_name=f"{code}/Stock",
            usage="internal",
            company_id=1,
            warehouse_id=number,
            active=True,
        )
        types = {"in_type_id": number * 2 - 1, "out_type_id": number * 2}
        put("stock.warehouse", number, name=name, code=code, company_id=1, lot_stock_id=stock, partner_id=1, **types)
        for column, label, kind, short in TRANSFERS:
            ends = (SUPPLIER_PLACE, stock) if kind == "incoming" else (stock, CUSTOMER_PLACE)
            put(
                "stock.picking.type",
                types[column],
                name=label,
                code=kind,
                warehouse_id=number,
                company_id=1,
                sequence_code=short,
                use_create_lots=kind == "incoming",
                use_existing_lots=kind != "incoming",
                default_location_src_id=ends[0],
                default_location_dest_id=ends[1],
            )
    for number, (name, unattended, closed) in enumerate(TICKET_STAGES, 1):
        put("helpdesk.ticket.stage", number, name=name, sequence=number, unattended=unattended, closed=closed, active=True)
    accounts = (
        ("121000", "Account Receivable", "asset_receivable"),
        ("211000", "Account Payable", "liability_payable"),
        ("400000", "Product Sales", "income"),
        ("600000", "Expenses", "expense"),
        ("101401", "Bank", "asset_cash"),
    )
    for number, (code, name, kind) in enumerate(accounts, 1):
        put("account.account", number, code=code, name=name, account_type=kind, active=True)
    for number, (code, name, kind) in enumerate((("INV", "Sales", "sale"), ("BNK1", "Bank", "bank")), 1):
        put("account.journal", number, code=code, name=name, type=kind, company_id=1, active=True)
    for number, (name, cost) in enumerate((("Standard delivery", 12.0), ("Express before noon", 89.0)), 1):
        put("delivery.carrier", number, name=name, delivery_type="fixed", fixed_price=cost, active=True)
    put("mail.activity.type", 4, name="To-Do")
    for number, (name, model, kind) in enumerate(
        (
            ("sale.view_order_form", "sale.order", "form"),
            ("stock.view_picking_form", "stock.picking", "form"),
            ("stock.view_stock_quant_form_editable", "stock.quant", "form"),
            ("purchase.purchase_order_form", "purchase.order", "form"),
            ("account.view_move_form", "account.move", "form"),
            ("base.view_partner_form", "res.partner", "form"),
            ("sale.sale_order_portal_template", "", "qweb"),
            ("stock.view_stock_quant_tree_inventory_editable", "stock.quant", "list"),
        ),
        1,
    ):
        put(
            "ir.ui.view",
            number,
            name=name,
            type=kind,
            model=model or False,
            mode="primary",
            arch_base={"form": "<form><sheet/></form>", "list": "<list/>", "qweb": "<t/>"}[kind],
            active=True,
            priority=16,
        )
        marks.append((name, "ir.ui.view", number))
    for number, app in enumerate(("base", "sale_management", "stock", "purchase", "account", "base_automation"), 1):
        put("ir.module.module", number, name=app, shortdesc=app, state="installed", latest_version="19.0.1.0")
    marks += [
        ("base.main_company", "res.company", 1),
        ("base.EUR", "res.currency", 1),
        ("base.user_admin", "res.users", 2),
    ]
    for number, (name, model, odoo_id) in enumerate(marks, 1):
        module, _, short = name.partition(".")
        put("ir.model.data", number, module=module, name=short, model=model, res_id=odoo_id, noupdate=False)


def _goods(env: Env, chance: random.Random) -> None:
    stock = {row["lot_stock_id"] for row in env.engine.store.table("stock.warehouse").rows.values()}
    number = 0
    for good in GOODS:
        category = env["product.category"].create({"name": good}).id
        for make in MAKES:
            number += 1
            price = float(chance.choice((18, 25, 39, 49, 75, 89, 120, 149, 240, 320, 480, 690)))
            template = env["product.template"].create(
                {
                    "name": f"{good} {make}",
                    "type": "consu",
                    "list_price": price,
                    "is_storable": True,
                    "invoice_policy": "delivery",
                    "default_code": f"TT-{number:03d}",
                    "tracking": "lot" if number % 9 == 0 else "none",
                    "standard_price": round(price * 0.62, 2),
                    "categ_id": category,
                }
            )
            product = template.product_variant_ids
            if template.tracking == "lot":
                env["stock.lot"].create({"name": f"LOT-{number:03d}", "product_id": product.id, "company_id": 1})
            for place in sorted(stock):
                on_hand = float(0 if number % 11 == 0 else chance.randint(400, 900))
                env["stock.quant"].create({"product_id": product.id, "location_id": place, "quantity": on_hand})


def _partners(env: Env, chance: random.Random) -> None:
    number = 0
    for trade in TRADES:
        for town in chance.sample(TOWNS, 4):
            number += 1
            limit = float(chance.choice((0, 8_000, 12_000, 20_000, 30_000, 50_000)))
            customer = env["res.partner"].create(
                {
                    "name": f"{town} {trade}",
                    "is_company": True,
                    "email": f"office{number}@customer.example",
                    # One in nine gave no street: their orders lack what a driver needs.
                    "street": False if number % 9 == 0 else f"Market Street {number}",
                    "city": town,
                    "country_id": COUNTRY,
                    "phone": f"+49 555 {number:04d}",
                    "credit_limit": limit,
                    "user_id": SELLERS[number % 2],
                    "customer_rank": 1,
                    "ref": f"C{number:04d}",
                }
            )
            if number % 4 == 0:
                env["res.partner"].create(
                    {
                        "name": f"{town} branch",
                        "street": f"Dock {number}",
                        "city": town,
                        "country_id": COUNTRY,
                        "parent_id": customer.id,
                        "customer_rank": 1,
                        "user_id": SELLERS[number % 2],
                    }
                )
    for number, name in enumerate(SUPPLIERS, 1):
        env["res.partner"].create(
            {
                "name": name,
                "is_company": True,
                "supplier_rank": 1,
                "ref": f"V{number:03d}",
                "email": f"sales{number}@supplier.example",
            }
        )
