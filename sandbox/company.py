"""The sandbox company: its models, its people, and the one door through which every call goes."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox import access, automation, computed, versions
from sandbox import defaults as new_records
from sandbox import seed as seeding
from sandbox.absent import ABSENT_MODELS, USE_REAL
from sandbox.errors import (
    AccessDenied,
    AccessError,
    NoMethodError,
    NoModelError,
    OdooException,
    UserError,
)
from sandbox.records import METHODS, MODEL_METHODS, Env, Records
from sandbox.schema import COMPUTED, OTHER_END, RELATED, Field, Fields, empty, magic_fields, standard
from sandbox.store import Store, Transaction

INDEXES = {
    "sale.order": ("partner_id", "state", "name", "invoice_status"),
    "sale.order.line": ("order_id",),
    "stock.picking": ("sale_id", "state"),
    "stock.move": ("picking_id", "sale_line_id", "purchase_line_id", "move_orig_ids", "product_id"),
    "stock.move.line": ("move_id", "picking_id"),
    "stock.lot": ("product_id",),
    "account.move.line": ("move_id", "partner_id", "sale_line_ids"),
    "account.move": ("commercial_partner_id", "state", "payment_state"),
    "purchase.order.line": ("order_id", "product_id"),
    "purchase.order": ("partner_id", "state", "receipt_status"),
    "stock.quant": ("product_id",),
    "res.partner": ("parent_id", "commercial_partner_id"),
    "res.groups": ("user_ids",),
    "product.product": ("product_tmpl_id",),
    "ir.actions.server": ("base_automation_id", "model_id"),
    "ir.model.data": ("name", "module", "model"),
    "ir.model.fields": ("model", "model_id", "name"),
    "ir.model": ("model",),
    "ir.model.access": ("model_id",),
    "base.automation": ("model_id",),
    "x_ct_request": ("x_res_id",),
    "mail.message": ("res_id",),
    "ir.attachment": ("res_id",),
    "mail.activity": ("res_id",),
    "res.users": ("login",),
}
# Accepted beside what the rows say: login to keys. These are test data of a company that does not exist.
KEYS = {"tower": "sandbox-key", "admin": "admin", "sofia": "sofia", "sam": "sam", "paula": "paula", "ada": "ada"}
SETTINGS_MODELS = ("ir.model", "ir.model.fields", "res.groups", "ir.model.data", "ir.model.access")
NAME_FIELDS = {
    "x_ct_request": "x_name",
    "x_ct_heartbeat": "x_name",
    "ir.cron": "cron_name",
    "stock.quant": "id",
    "stock.move": "reference",
    "stock.move.line": "id",
    "mail.activity": "summary",
    "mail.message": "subject",
    "ir.model.fields": "field_description",
    "account.journal": "name",
}


class Company:
    """Everything of one database. Calls from any thread go one after another."""

    def __init__(
        self,
        directory: Path | None,
        *,
        database: str = "sandbox",
        orders: int = 400,
        seed: int = 1,
        version: str = "19",
    ) -> None:
        self.database, self.orders, self.seed = database, orders, seed
        self.shape = versions.SHAPES[version]
        self.lock = threading.RLock()
        self.models: dict[str, Fields] = {}
        self.model_ids: dict[str, int] = {}
        self.store = Store(directory, mark=f"11 {database} {orders} {seed} {version}")
        self._groups: dict[int, set[int]] | None = None
        self._externals: dict[str, tuple[str, int]] = {}
        self._may: dict[tuple[int, str, str], bool] = {}
        self._inside: set[int] | None = None
        self.models.update({name: dict(fields) for name, fields in standard().items()})
        for model, names in INDEXES.items():
            for name in names:
                self.store.table(model).index(name)
        if self.store.is_new:
            seeding.fill(self)
            self.refresh_settings()
            self.store.keep_all()
        else:
            seeding.attach_history(self)
            self.store.load()
            self.refresh_settings()

    # What the records are

    def field(self, model: str, name: str) -> Field | None:
        """The declaration of ``model.name``, or None."""
        return self.models.get(model, {}).get(name)

    def value(self, model: str, odoo_id: int, name: str) -> Any:
        """The raw value of a field: an id or False for a many2one, ids for lists, text for moments."""
        if name == "id":
            return odoo_id
        row = self.store.table(model).get(odoo_id)
        field = self.models[model][name]
        if row is None:
            return empty(field)
        if (model, name) in COMPUTED:
            return computed.value(self, model, odoo_id, name)
        if name in row and row[name] is not None:
            return row[name]
        if name == "display_name":
            return self.name(model, odoo_id)
        if (model, name) in RELATED:
            first, _, rest = RELATED[model, name].partition(".")
            there = row.get(first)
            return self.value(self.models[model][first].relation, there, rest) if there else empty(field)
        if (model, name) in OTHER_END:
            other, inverse = OTHER_END[model, name]
            return sorted(self.store.table(other).indexes[inverse].get(odoo_id, ()))
        if field.type == "one2many":
            return self._children(field, odoo_id)
        return empty(field)

    def _children(self, field: Field, odoo_id: int) -> list[int]:
        table = self.store.table(field.relation)
        if field.inverse not in table.indexes:
            table.index(field.inverse)
        found = set(table.indexes[field.inverse].get(odoo_id, ()))
        if table.history:
            found |= {one for one in table.history.ids_with(field.inverse, odoo_id) or () if table.is_base(one)}
        return sorted(found)

    def name_field(self, model: str) -> str:
        """The field that names a record of ``model``."""
        return NAME_FIELDS.get(model, "name" if "name" in self.models[model] else "x_name")

    def name(self, model: str, odoo_id: int) -> str:
        """The record's display name."""
        chosen = self.name_field(model)
        if chosen not in self.models[model]:
            return f"{model},{odoo_id}"
        if model == "product.product" and (code := self.value(model, odoo_id, "default_code")):
            return f"[{code}] {self.value(model, odoo_id, 'name')}"
        return str(self.value(model, odoo_id, chosen) or "")

    def defaults(self, env: Env, model: str) -> dict[str, Any]:
        """What a new record begins with."""
        return new_records.defaults(env, model)

    # Who may what

    def sign_in(self, login: str, key: str) -> int:
        """The id of the person. Raises AccessDenied."""
        users = self.store.table("res.users")
        found = [users.rows[one] for one in users.indexes["login"].get(login, ())]
        if not found or not found[0].get("active") or KEYS.get(login) != key:
            raise AccessDenied
        return int(found[0]["id"])

    def who_has(self, key: str) -> int:
        """The person whose API key this is. Passwords are no keys. Raises AccessDenied."""
        if key != KEYS["tower"]:
            raise AccessDenied
        return self.sign_in("tower", key)

    def check_key(self, uid: int, key: str) -> None:
        """Raises AccessDenied where ``key`` is not that of ``uid``."""
        row = self.store.table("res.users").rows.get(uid)
        if not row or KEYS.get(row["login"]) != key:
            raise AccessDenied

    def groups_of(self, uid: int) -> set[int]:
        """The ids of the groups of a person."""
        if self._groups is None:
            self._groups = {}
            for odoo_id, row in self.store.table("res.groups").rows.items():
                for one in row.get("user_ids") or ():
                    self._groups.setdefault(one, set()).add(odoo_id)
        return self._groups.get(uid, set())

    def may(self, env: Env, model: str, operation: str) -> bool:
        """Whether whoever acts may ``operation`` on ``model``."""
        if env.su:
            return True
        key = (env.uid, model, operation)
        if key not in self._may:
            mine = self.groups_of(env.uid)
            marks = self.store.table("ir.model.data")
            names = {
                f"{row['module']}.{row['name']}"
                for one in marks.indexes["model"].get("res.groups", ())
                if (row := marks.rows[one])["res_id"] in mine
            }
            rights = self.store.table("ir.model.access")
            given = (rights.rows[one] for one in rights.indexes["model_id"].get(self.model_ids.get(model, 0), ()))
            self._may[key] = access.standing_right(names, model, operation) or any(
                row.get(f"perm_{operation}") and row.get("group_id") in mine for row in given
            )
        return self._may[key]

    def check_access(self, env: Env, model: str, operation: str) -> None:
        """Raises AccessError where whoever acts may not ``operation`` on ``model``."""
        if not self.may(env, model, operation):
            words = {"read": "access", "write": "modify", "create": "create", "unlink": "delete"}[operation]
            label = self.store.table("ir.model").rows.get(self.model_ids.get(model, 0), {}).get("name", model)
            raise AccessError(
                f"You are not allowed to {words} '{label}' ({model}) records.\n\n"
                "Contact your administrator to request access if necessary."
            )

    def external(self, name: str) -> tuple[str, int]:
        """Model and id behind an external id. Raises UserError where there is none."""
        if name not in self._externals:
            module, _, short = name.partition(".")
            table = self.store.table("ir.model.data")
            found = [table.rows[one] for one in table.indexes["name"].get(short, ()) if table.rows[one]["module"] == module]
            if not found:
                raise UserError(f"External ID not found in the system: {name}")
            self._externals[name] = found[0]["model"], found[0]["res_id"]
        return self._externals[name]

    def internal_locations(self) -> set[int]:
        """The locations whose contents are the company's stock."""
        if self._inside is None:
            rows = self.store.table("stock.location").rows
            self._inside = {one for one, row in rows.items() if row["usage"] == "internal"}
        return self._inside

    def changed_settings(self, model: str) -> None:
        """Forget what was derived from settings, where ``model`` is one of them."""
        if model in SETTINGS_MODELS:
            self.refresh_settings()

    def refresh_settings(self) -> None:
        """Models and fields as their rows now say."""
        self._groups, self._inside = None, None
        self._externals.clear()
        self._may.clear()
        models = self.store.table("ir.model").rows
        self.model_ids = {row["model"]: odoo_id for odoo_id, row in models.items()}
        self.models = {name: dict(fields) for name, fields in standard().items()}
        for row in models.values():
            if row["model"] not in self.models:
                self.models[row["model"]] = {**magic_fields(), "x_name": Field("x_name", "char", "Name", manual=True)}
                for name in INDEXES.get(row["model"], ()):
                    self.store.table(row["model"]).index(name)
        made = self.store.table("ir.model.fields")
        for row in [row for row in made.rows.values() if row.get("state") == "manual"]:
            if row["model"] in self.models:
                self.models[row["model"]][row["name"]] = Field(
                    row["name"],
                    row["ttype"],
                    row.get("field_description") or row["name"],
                    row.get("relation") or "",
                    manual=True,
                    help=row.get("help") or "",
                )

    # Calls

    def second_cursor(self, first: Transaction) -> Transaction:
        """A transaction of its own inside another's call."""
        return Transaction(self.store, _now(), first.outgoing, first)

    def transact(self, uid: int, work: Callable[[Env], Any], *, su: bool = False, context: dict[str, Any] | None = None) -> Any:
        """What ``work`` returns, committed; undone where it raises. Webhooks go out before this returns or raises."""
        outgoing: list[tuple[str, bytes]] = []
        try:
            with self.lock:
                cr = Transaction(self.store, _now(), outgoing)
                try:
                    result = work(Env(self, cr, uid, su=su, context=context))
                    cr.commit()
                    return result
                except BaseException:
                    if set(cr.rollback()) & set(SETTINGS_MODELS):
                        self.refresh_settings()
                    raise
        finally:
            for url, body in outgoing:
                automation.post(url, body)

    def call(self, uid: int, model: str, name: str, args: list[Any], named: dict[str, Any]) -> Any:
        """One RPC call: a method of ``model`` with its arguments, as the person ``uid``."""
        if model not in self.models:
            # As Odoo words it at both ends, by which clients know it.
            lacks = f" ({ABSENT_MODELS[model]}; {USE_REAL})" if model in ABSENT_MODELS else ""
            raise NoModelError(f"Object {model}{lacks} doesn't exist")
        if name.startswith("_") or name in ("exists", "sudo", "with_user", "browse"):
            raise AccessError(f"Private methods (such as '{model}.{name}') cannot be called remotely.")
        function = METHODS.get((model, name)) or METHODS.get(("*", name))
        if function is None:
            raise NoMethodError(f"The method '{model}.{name}' does not exist")
        named = dict(named)
        context = named.pop("context", None) or {}

        def work(env: Env) -> Any:
            ids: Any = ()
            rest = list(args)
            if name not in MODEL_METHODS:
                ids = rest.pop(0) if rest else named.pop("ids", ())
                ids = [ids] if isinstance(ids, int) else ids or ()
            else:
                named.pop("ids", None)
            try:
                result = self.shape.call(function, Records(env, model, ids), *rest, **named)
            except RecursionError as error:
                raise OdooException("maximum recursion depth exceeded") from error
            single = name == "create" and rest[:1] and isinstance(rest[0], dict)
            return _plain(result, single=bool(single))

        return self.transact(uid, work, context=context)

    def run_schedules(self) -> None:
        """Let the scheduled actions that are due run."""
        now = datetime.now(UTC).replace(tzinfo=None)
        self.transact(1, lambda env: automation.run_schedules(env, now), su=True)

    def close(self) -> None:
        """Close the journal."""
        with self.lock:
            self.store.close()


def _plain(result: Any, *, single: bool) -> Any:
    if isinstance(result, Records):
        return (result.ids or [False])[0] if single else result.ids
    return result


def _now(back: timedelta = timedelta(0)) -> str:
    return (datetime.now(UTC).replace(tzinfo=None) - back).isoformat(" ", "microseconds")
