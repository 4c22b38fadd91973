"""A small company as Odoo would send it: rows go in through the mirror's own door, and everything that follows follows."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from django.db import transaction

from apps.accounts.models import Role, Team, User
from apps.exceptions.models import ShowInOdoo
from apps.mirror import registry, upsert
from apps.mirror.upsert import Changes
from apps.odoo.models import Connection
from apps.pipeline import change_processing

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MODELS = [
    "sale.order",
    "x_ct_request",
    "res.partner",
    "account.move",
    "account.move.line",
    "stock.picking",
    "sale.order.line",
]


def odoo_time(at: datetime) -> str:
    """``at`` as Odoo writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


class World:
    """One connected company: euro, one salesperson, one customer with a credit limit of 5,000."""

    def __init__(self, name: str = "main") -> None:
        self.now = NOW
        self.ids = count(100)
        self.waiting: list[Changes] | None = None
        provisioned: dict[str, dict[str, Any]] = {model: {"missing_fields": []} for model in registry.models()}
        self.connection = Connection.objects.create(
            name=name,
            url="http://odoo.test",
            database="test",
            login="tower",
            api_key="key",
            capabilities={"models": provisioned},
        )
        with self.at_once():
            self.write("res.currency", 1, name="EUR", decimal_places=2, active=True)
            self.write("res.company", 1, name="Nordlicht", currency_id=1, partner_id=1)
            self.write("res.partner", 5, name="Sofia", commercial_partner_id=5, active=True)
            self.write(
                "res.users",
                7,
                name="Sofia Sales",
                login="sofia",
                email="sofia@nordlicht.test",
                active=True,
                partner_id=5,
                company_id=1,
            )
            self.write("account.account", 11, name="Receivable", account_type="asset_receivable")
            self.customer(50, name="Azure Interior", credit_limit=5_000)

    def shows_exceptions(self, **chosen: Any) -> None:
        """This Odoo's orders carry activities, so that exceptions are shown there too."""
        for model in ("sale.order", "account.move"):
            self.connection.capabilities["models"][model]["activities"] = True
        self.connection.uid, self.connection.version = 2, "19.0"
        self.connection.save()
        ShowInOdoo.objects.update_or_create(connection=self.connection, defaults=chosen)

    def advance(self, **delta: float) -> datetime:
        """Let time pass."""
        self.now += timedelta(**delta)
        return self.now

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """What is written within arrives in one batch, as it does when Odoo is read: what follows is worked out once."""
        if self.waiting is not None:
            yield
            return
        self.waiting = []
        try:
            with transaction.atomic():
                yield
                change_processing.apply_changes(self.waiting, now=self.now)
        finally:
            self.waiting = None

    def write(self, model: str, odoo_id: int, **values: Any) -> None:
        """Odoo's record has these values now, and the tower has read them."""
        row = {"id": odoo_id, "write_date": odoo_time(self.now), "create_date": odoo_time(self.now), **values}
        mirrored = registry.models()[model]
        # A line without tax, where nothing is said of one.
        if "price_total" in mirrored.odoo_fields() and "price_subtotal" in values:
            row.setdefault("price_total", values["price_subtotal"])
        current = mirrored.objects.filter(connection=self.connection, odoo_id=odoo_id).first()
        if current is not None:
            for name in mirrored.odoo_fields():
                if name not in row:
                    value = getattr(current, name)
                    row[name] = odoo_time(value) if isinstance(value, datetime) else False if value is None else value
            row["create_date"] = odoo_time(current.create_date)
        for name in mirrored.odoo_fields():
            row.setdefault(name, False)
        with self.at_once():
            assert self.waiting is not None
            self.waiting.append(upsert.apply(mirrored, connection_id=self.connection.pk, rows=[row], read_at=self.now))

    def customer(self, odoo_id: int, *, name: str, credit_limit: float) -> None:
        self.write(
            "res.partner",
            odoo_id,
            name=name,
            credit_limit=credit_limit,
            commercial_partner_id=odoo_id,
            active=True,
            is_company=True,
            street="Hafenstr. 5",
            city="Hamburg",
            country_id=57,
        )

    def order(self, odoo_id: int = 42, *, amount: float = 6_200, partner: int = 50, state: str = "draft", **more: Any) -> int:
        """A sales order."""
        values = {
            "name": f"S{odoo_id:05}",
            "state": state,
            "partner_id": partner,
            "user_id": 7,
            "create_uid": 7,
            "company_id": 1,
            "currency_id": 1,
            "currency_rate": 1.0,
            "amount_total": amount,
            "amount_untaxed": amount,
            "date_order": odoo_time(self.now),
            "invoice_status": "no",
            "margin": amount * 0.3,
        }
        self.write("sale.order", odoo_id, **values | more)
        return odoo_id

    def ask(
        self,
        order: int = 42,
        *,
        ask_id: int = 900,
        state: str = "open",
        kind: str = "credit_override",
        model: str = "sale.order",
    ) -> None:
        """Somebody tried to confirm the order, and Odoo's guard refused."""
        self.write(
            "x_ct_request",
            ask_id,
            x_res_model=model,
            x_res_id=order,
            x_kind=kind,
            x_state=state,
            x_requested_at=odoo_time(self.now),
            x_requested_uid=7,
            x_count=1,
        )

    def owes(self, amount: float, *, due_days_ago: int = 0, partner: int = 50) -> int:
        """A posted invoice of the customer that is not paid."""
        move = next(self.ids)
        self.write(
            "account.move",
            move,
            name=f"INV/{move}",
            state="posted",
            move_type="out_invoice",
            partner_id=partner,
            commercial_partner_id=partner,
            company_id=1,
            amount_residual=amount,
            payment_state="not_paid",
        )
        self.write(
            "account.move.line",
            move + 10_000,
            move_id=move,
            account_id=11,
            partner_id=partner,
            company_id=1,
            parent_state="posted",
            amount_residual=amount,
            reconciled=False,
            date_maturity=(self.now - timedelta(days=due_days_ago)).strftime("%Y-%m-%d"),
        )
        return move

    def held_order(self, **more: Any) -> int:
        """An order over the limit that somebody tried to confirm."""
        order = self.order(**more)
        self.ask(order)
        return order


def person(username: str, role: Role, *, limit: int | None = None, team: str | None = None, odoo_login: str = "") -> User:
    """A person of the tower."""
    user = User.objects.create_user(
        username,
        email=f"{username}@tower.test",
        password="a long password",
        role=role,
        approval_limit=limit,
        odoo_login=odoo_login,
        first_name=username.title(),
    )
    if team:
        Team.objects.get_or_create(slug=team, defaults={"name": team.title()})[0].members.add(user)
    return user


def with_people() -> World:
    """A company, and those who work in its tower: an operator, an approver, a manager and an administrator."""
    for slug in ("finance", "sales", "warehouse", "purchasing"):
        Team.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    person("olga", Role.OPERATOR, team="finance")
    person("adam", Role.APPROVER, limit=50_000, team="finance")
    person("mia", Role.MANAGER, limit=250_000, team="finance")
    person("anna", Role.ADMIN)
    return World()
