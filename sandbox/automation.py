"""What Odoo does by itself when records change: automation rules, server actions, webhooks, scheduled actions."""

import ast
import builtins
import datetime
import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from datetime import timedelta
from functools import lru_cache
from types import CodeType, SimpleNamespace
from typing import Any

from sandbox import domain as domains
from sandbox.errors import UserError, ValidationError
from sandbox.records import Env, Records, method

logger = logging.getLogger(__name__)
Row = dict[str, Any]
WEBHOOK_TIMEOUT_SECONDS = 1.0
ON_CREATE = ("on_create", "on_create_or_write", "on_state_set")
ON_WRITE = ("on_write", "on_create_or_write", "on_state_set")
NAMES = (
    *("bool", "bytes", "str", "int", "float", "complex", "list", "dict", "tuple", "set", "frozenset"),
    *("range", "enumerate", "zip", "map", "filter", "sorted", "reversed", "len", "sum", "min", "max", "abs", "round"),
    *("any", "all", "isinstance", "repr", "divmod", "ord", "chr", "hasattr", "Exception", "ValueError"),
)
BUILTINS = {name: vars(builtins)[name] for name in NAMES}


class Command:
    """Odoo's words for changes to a list of records."""

    @staticmethod
    def create(values: Row) -> tuple[int, int, Row]:
        """A new one."""
        return (0, 0, values)

    @staticmethod
    def update(odoo_id: int, values: Row) -> tuple[int, int, Row]:
        """Change one."""
        return (1, odoo_id, values)

    @staticmethod
    def delete(odoo_id: int) -> tuple[int, int, int]:
        """Delete one."""
        return (2, odoo_id, 0)

    @staticmethod
    def link(odoo_id: int) -> tuple[int, int, int]:
        """Add one."""
        return (4, odoo_id, 0)

    @staticmethod
    def clear() -> tuple[int, int, int]:
        """Take all away."""
        return (5, 0, 0)

    @staticmethod
    def set(ids: Iterable[int]) -> tuple[int, int, list[int]]:
        """Exactly these."""
        return (6, 0, list(ids))


def float_compare(one: float, other: float, precision_digits: int | None = None, precision_rounding: float | None = None) -> int:
    """-1, 0 or 1, as Odoo compares at a precision."""
    step = precision_rounding or 10.0 ** -(precision_digits if precision_digits is not None else 2)
    difference = round((one or 0.0) / step) - round((other or 0.0) / step)
    return (difference > 0) - (difference < 0)


def rules_of(env: Env, model: str, triggers: tuple[str, ...]) -> list[Row]:
    """The active rules of ``model`` for one of ``triggers``, in the order of their making."""
    table = env.engine.store.table("base.automation")
    if not table.rows:
        return []
    model_id = env.engine.model_ids.get(model)
    found = [row for row in table.rows.values() if row.get("model_id") == model_id and row.get("active")]
    return sorted((row for row in found if row.get("trigger") in triggers), key=lambda row: row["id"])


def after_create(env: Env, model: str, ids: list[int]) -> None:
    """Run the rules for new records."""
    for rule in rules_of(env, model, ON_CREATE):
        _run(
            env(context={**env.context, "old_values": None}),
            model,
            rule,
            [one for one in ids if _fits(env, model, rule, one)],
        )


def after_write(env: Env, model: str, olds: dict[int, Row]) -> None:
    """Run the rules for changed records; ``olds`` are the fields that were written, as they were."""
    rules = rules_of(env, model, ON_WRITE)
    if not rules:
        return
    table = env.engine.store.table(model)
    for rule in rules:
        watched = _watched(env, rule)
        ids = []
        for odoo_id, old in olds.items():
            new = table.get(odoo_id) or {}
            # What another rule writes meanwhile is a write of its own.
            changed = not watched or any(name in old and (old[name] or False) != (new.get(name) or False) for name in watched)
            if changed and _fits(env, model, rule, odoo_id):
                ids.append(odoo_id)
        _run(env(context={**env.context, "old_values": _as_records(env, model, olds)}), model, rule, ids)


def _as_records(env: Env, model: str, olds: dict[int, Row]) -> dict[int, Row]:
    """The old values as Odoo's code sees them: records where the field points at some."""
    fields = env.engine.models[model]
    return {
        odoo_id: {
            name: Records(env, fields[name].relation, [value] if value else [])
            if name in fields and fields[name].type == "many2one"
            else value
            for name, value in old.items()
        }
        for odoo_id, old in olds.items()
    }


def before_unlink(env: Env, model: str, ids: list[int]) -> None:
    """Run the rules for records that are about to go."""
    for rule in rules_of(env, model, ("on_unlink",)):
        _run(env, model, rule, [one for one in ids if _fits(env, model, rule, one)])


def _watched(env: Env, rule: Row) -> list[str]:
    table = env.engine.store.table("ir.model.fields")
    names = [table.rows[one]["name"] for one in rule.get("trigger_field_ids") or [] if one in table.rows]
    if rule["trigger"] == "on_state_set":
        names.append("state")
    return names


def _fits(env: Env, model: str, rule: Row, odoo_id: int) -> bool:
    if rule["trigger"] == "on_state_set":
        chosen = env.engine.store.table("ir.model.fields.selection").rows.get(rule.get("trg_selection_field_id") or 0, {})
        if env.engine.value(model, odoo_id, "state") != chosen.get("value"):
            return False
    text = rule.get("filter_domain")
    return not text or domains.Matcher(model, domains.parse(ast.literal_eval(text)), env.engine)(odoo_id)


def _run(env: Env, model: str, rule: Row, ids: list[int]) -> None:
    # A rule does not set itself off again for the records it is working on.
    done: dict[int, frozenset[int]] = env.context.get("__action_done", {})
    ids = [one for one in ids if one not in done.get(rule["id"], frozenset())]
    if not ids:
        return
    done = {**done, rule["id"]: done.get(rule["id"], frozenset()) | set(ids)}
    elevated = env(su=True, context={**env.context, "__action_done": done})
    table = env.engine.store.table("ir.actions.server")
    actions = [table.rows[one] for one in sorted(table.indexes["base_automation_id"].get(rule["id"], ()))]
    for action in actions:
        for odoo_id in ids:
            run_action(elevated, action, Records(elevated, model, (odoo_id,)))


def run_action(env: Env, action: Row, records: Records) -> Any:
    """Carry out one server action on ``records``."""
    if action.get("state") == "webhook":
        for one in records:
            _call_later(env, action, one)
        return None
    if action.get("state") != "code":
        return None
    record = records[:1]
    names: dict[str, Any] = {
        "__builtins__": BUILTINS,
        "env": env,
        "model": Records(env, records._name, ()),
        "record": record,
        "records": records,
        "uid": env.uid,
        "user": env.user,
        "UserError": UserError,
        "ValidationError": ValidationError,
        "Warning": UserError,
        "datetime": datetime,
        "time": time,
        "timezone": datetime.timezone,
        "Command": Command,
        "float_compare": float_compare,
        "json": json,
        "dateutil": SimpleNamespace(),
        "log": lambda message, level="info": logger.info("%s", message),
        "_logger": logger,
        "action": None,
    }
    exec(_compiled(action.get("code") or ""), names)
    return names.get("action") or None


@lru_cache(maxsize=256)
def _compiled(code: str) -> CodeType:
    return compile(code.strip(), "server action", "exec")


def _call_later(env: Env, action: Row, record: Records) -> None:
    company, table = env.engine, env.engine.store.table("ir.model.fields")
    names = [table.rows[one]["name"] for one in action.get("webhook_field_ids") or [] if one in table.rows]
    said: Row = {
        "_action": f"{action['name']}(#{action['id']})",
        "_model": record._name,
        "_id": record.id,
        "id": record.id,
    }
    for name in names:
        said[name] = company.value(record._name, record.id, name)
    env.cr.after_commit.append((action.get("webhook_url"), json.dumps(said, sort_keys=True).encode()))


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        return None


OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)


def post(url: str, body: bytes) -> None:
    """One message, never sent again: Odoo notes in its log that it failed, and goes on."""
    try:
        request = urllib.request.Request(url, body, {"Content-Type": "application/json", "User-Agent": "python-requests"})
        with OPENER.open(request, timeout=WEBHOOK_TIMEOUT_SECONDS) as answer:
            answer.read(1024)
    except (OSError, ValueError) as error:
        logger.warning("Webhook call to %s failed: %s", url.split("/hooks/")[0], error)


def run_schedules(env: Env, now: datetime.datetime) -> None:
    """Run the scheduled actions that are due, and note when they are due next."""
    for row in list(env.engine.store.table("ir.cron").rows.values()):
        due = datetime.datetime.fromisoformat(row.get("nextcall") or now.isoformat(" ", "seconds"))
        if not row.get("active") or due > now:
            continue
        unit = row.get("interval_type") or "minutes"
        wait = timedelta(days=30) if unit == "months" else timedelta(**{unit: row.get("interval_number") or 1})
        while due <= now:
            due += wait
        model = env.engine.store.table("ir.model").rows.get(row.get("model_id") or 0, {}).get("model")
        if model:
            run_action(env, {**row, "state": "code"}, Records(env, model, ()))
        stamp = {"nextcall": due.isoformat(" ", "seconds"), "lastcall": now.isoformat(" ", "seconds")}
        env.cr.put("ir.cron", row["id"], {**row, **stamp})


@method("ir.cron")
def method_direct_trigger(records: Records) -> bool:
    """Run scheduled actions now."""
    for one in records:
        row = records.env.engine.store.table("ir.cron").rows[one.id]
        model = records.env.engine.store.table("ir.model").rows[row["model_id"]]["model"]
        env = records.env(su=True)
        run_action(env, {**row, "state": "code"}, Records(env, model, ()))
    return True


@method("ir.actions.server")
def run(records: Records) -> Any:
    """Run server actions on the records that the context names."""
    context, result = records.env.context, False
    for one in records:
        row = records.env.engine.store.table("ir.actions.server").rows[one.id]
        model = records.env.engine.store.table("ir.model").rows[row["model_id"]]["model"]
        ids = context.get("active_ids") or ([context["active_id"]] if context.get("active_id") else [])
        result = run_action(records.env, row, Records(records.env, model, ids)) or False
    return result
