"""Make what a blueprint declares stand in an Odoo, and take it away again.

Everything made is marked by an external id in the module ``x_controltower`` and found again by it, whatever a person
renamed meanwhile. A second apply changes nothing; a changed blueprint is written in place; what an older blueprint
left is removed. Each call to Odoo is a transaction of its own: an apply that was cut off is finished by the next one.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from apps.odoo.blueprint import Blueprint
from apps.odoo.client import OdooClient, connect
from apps.odoo.errors import LockedError, RefusedError, UnsupportedError
from apps.odoo.guards import ASK
from apps.odoo.models import Connection
from apps.odoo.resources import MARK, ORDER, ExternalRef, FieldRefs, KeyRef, ModelRef, Resource, compiled
from apps.odoo.versions import major

WEBHOOKS_SINCE = 17
# Making a field or a rule reloads Odoo's registry, which takes seconds on a busy server.
CALL_TIMEOUT_SECONDS = 120.0
# The heartbeat takes a fraction of a second; other scheduled actions are nothing of ours.
RUNNING_SECONDS = 20.0
VERBS = {"create": "Create", "update": "Update", "keep": "Keep", "remove": "Remove", "skip": "Leave out"}
KINDS = {
    "res.groups": "the group",
    "ir.model": "the model",
    "ir.model.fields": "the field",
    "ir.model.access": "",
    ASK: "the row",
    "base.automation": "the automation rule",
    "ir.actions.server": "",
    "ir.ui.view": "the view",
    "ir.cron": "the scheduled action",
}


@dataclass(frozen=True)
class Step:
    """One thing that provisioning does, or would do: ``action`` is create, update, keep, remove or skip."""

    action: str
    odoo_model: str
    key: str
    words: str

    def __str__(self) -> str:
        return self.words


def plan(connection: Connection, blueprint: Blueprint, *, by: OdooClient | None = None) -> list[Step]:
    """What :func:`apply` would do, in its order, without doing any of it.

    ``by`` is a client with the rights to settings, where the tower's own login has them not. Raises UnsupportedError
    when this Odoo cannot carry the blueprint at all, and what every call raises.
    """
    return _Site(connection, blueprint, by).run(dry=True)


def apply(
    connection: Connection,
    blueprint: Blueprint,
    *,
    by: OdooClient | None = None,
    on_step: Callable[[Step], None] | None = None,
) -> list[Step]:
    """Make the blueprint stand, and return what was done. Arguments and errors as :func:`plan`."""
    return _Site(connection, blueprint, by).run(dry=False, on_step=on_step)


def plan_removal(connection: Connection, *, by: OdooClient | None = None) -> list[Step]:
    """What :func:`remove` would take away."""
    return _Site(connection, Blueprint(), by).clear(dry=True)


def remove(connection: Connection, *, by: OdooClient | None = None) -> list[Step]:
    """Take away everything that bears the tower's mark, whichever blueprint made it, and return what was done.

    The rows of the tower's own models (the asks for confirmation) go with them.
    """
    return _Site(connection, Blueprint(), by).clear(dry=False)


class _Site:
    """One Odoo while it is being provisioned: what stands there, by key, and the ids that references mean."""

    def __init__(self, connection: Connection, blueprint: Blueprint, by: OdooClient | None) -> None:
        self.connection = connection
        self.client = by or connect(connection, timeout_seconds=CALL_TIMEOUT_SECONDS)
        self.resources = compiled(blueprint, connection)
        self.marks: dict[str, dict[str, Any]] = {}
        self.ids: dict[str, int] = {}
        self.known: dict[Any, Any] = {}

    def run(self, *, dry: bool, on_step: Callable[[Step], None] | None = None) -> list[Step]:
        """Walk the resources in order; with ``dry`` only look."""
        self._check()
        self._look()
        steps: list[Step] = []
        for odoo_model in ORDER:
            wanted = [resource for resource in self.resources if resource.odoo_model == odoo_model]
            for step in self._run_model(odoo_model, wanted, dry):
                steps.append(step)
                if on_step:
                    on_step(step)
        # Leftovers last, so that nothing that stays points at them any more.
        keys = {resource.key for resource in self.resources}
        steps.extend(self._remove({key: mark for key, mark in self.marks.items() if key not in keys}, dry))
        return steps

    def clear(self, *, dry: bool) -> list[Step]:
        """Remove all that is marked."""
        self._look()
        return self._remove(self.marks, dry)

    def _run_model(self, odoo_model: str, wanted: Sequence[Resource], dry: bool) -> list[Step]:
        steps, missing = [], []
        own = {resource.natural["model"] for resource in self.resources if resource.odoo_model == "ir.model"}
        for resource in wanted:
            model = resource.needs_model
            if model and model not in own and not self._model_id(model):
                steps.append(_step("skip", resource, f": this Odoo has no {model}"))
                continue
            odoo_id = self._find(resource, dry)
            if odoo_id is None:
                missing.append(resource)
                continue
            self.ids[resource.key] = odoo_id
            changed = self._changes(resource, odoo_id)
            if changed and not dry:
                when_free(odoo_model, partial(self.client.write, odoo_model, [odoo_id], changed))
            steps.append(_step("update" if changed else "keep", resource, f" ({', '.join(changed)})" if changed else ""))
        if missing and not dry:
            self._create(odoo_model, missing)
        return steps + [_step("create", resource) for resource in missing]

    def _create(self, odoo_model: str, missing: Sequence[Resource]) -> None:
        # All of one model in one call: Odoo reloads its registry once, not once a field.
        rows = [self._resolved(resource.values | resource.fixed) for resource in missing]
        ids = self.client.call(odoo_model, "create", vals_list=rows)
        ids = ids if isinstance(ids, list) else [ids]
        if odoo_model == "ir.model.access":
            # Odoo works out anew who may create what before the new rights are stored, and keeps that (tried on 19): a change of
            # them, be it of nothing, has it look again.
            self.client.write(odoo_model, ids, {"active": True})
        self.known.clear()
        self._mark(dict(zip([resource.key for resource in missing], ids, strict=True)), odoo_model)

    def _mark(self, ids: dict[str, int], odoo_model: str) -> None:
        self.ids |= ids
        rows = [
            {"module": MARK, "name": key, "model": odoo_model, "res_id": odoo_id, "noupdate": True} for key, odoo_id in ids.items()
        ]
        self.client.call("ir.model.data", "create", vals_list=rows)

    def _check(self) -> None:
        version = self.client.version()
        if major(version) < WEBHOOKS_SINCE:
            raise UnsupportedError(
                self.connection.name,
                f"Odoo {version} has no webhooks in its automation rules; they came with 17",
                "The tower still works there by polling; provision it after an upgrade.",
            )
        if not self._model_id("base.automation"):
            raise UnsupportedError(
                self.connection.name,
                "the app 'Automation Rules' (base_automation) is not installed",
                "Install the app 'Automation Rules' in Odoo (Apps) and run provision_odoo again.",
            )

    def _look(self) -> None:
        rows = self.client.search_read("ir.model.data", [("module", "=", MARK)], ["name", "model", "res_id"], order="id")
        for odoo_model in {row["model"] for row in rows}:
            marked = [row for row in rows if row["model"] == odoo_model]
            standing = set(self.client.search(odoo_model, [("id", "in", [row["res_id"] for row in marked])]))
            for row in marked:
                self.marks[row["name"]] = row
                if row["res_id"] in standing:
                    self.ids[row["name"]] = row["res_id"]

    def _find(self, resource: Resource, dry: bool) -> int | None:
        if resource.key in self.ids:
            return self.ids[resource.key]
        if resource.key in self.marks and not dry:
            # Somebody deleted what the mark points at: the mark goes too, and the thing is made anew.
            self.client.unlink("ir.model.data", [self.marks.pop(resource.key)["id"]])
        if dry and resource.needs_model == resource.odoo_model and not self._model_id(resource.odoo_model):
            return None  # the model itself is yet to be made
        domain = [(name, "=", value) for name, value in resource.natural.items()]
        found = self.client.search(resource.odoo_model, domain, limit=1)
        if not found:
            return None
        if not dry:
            self._mark({resource.key: found[0]}, resource.odoo_model)
        return found[0]

    def _changes(self, resource: Resource, odoo_id: int) -> dict[str, Any]:
        wanted = self._resolved(resource.values)
        rows = self.client.read(resource.odoo_model, [odoo_id], sorted(wanted))
        standing = rows[0] if rows else {}
        return {name: value for name, value in wanted.items() if not _same(name, value, standing.get(name))}

    def _resolved(self, values: dict[str, Any]) -> dict[str, Any]:
        return {name: self._value(value) for name, value in values.items()}

    def _value(self, value: Any) -> Any:
        match value:
            case ModelRef(model):
                return self._model_id(model)
            case FieldRefs(model, names):
                return [(6, 0, self._field_ids(model, names))]
            case ExternalRef(name):
                return self._external_id(name)
            case KeyRef(key):
                return self.ids.get(key)
        return value

    def _model_id(self, model: str) -> int | None:
        if ("model", model) not in self.known:
            found = self.client.search("ir.model", [("model", "=", model)], limit=1)
            self.known["model", model] = found[0] if found else None
        found_id: int | None = self.known["model", model]
        return found_id

    def _field_ids(self, model: str, names: Sequence[str]) -> list[int]:
        if ("fields", model, names) not in self.known:
            domain = [("model", "=", model), ("name", "in", list(names))]
            self.known["fields", model, names] = sorted(self.client.search("ir.model.fields", domain)) if names else []
        field_ids: list[int] = self.known["fields", model, names]
        return field_ids

    def _external_id(self, name: str) -> int:
        if ("external", name) not in self.known:
            module, _, short = name.partition(".")
            domain = [("module", "=", module), ("name", "=", short)]
            rows = self.client.search_read("ir.model.data", domain, ["res_id"], limit=1)
            if not rows:
                raise UnsupportedError(
                    self.connection.name,
                    f"there is no {name} in this Odoo",
                    f"Install the app that has it ('{module}') and run provision_odoo again.",
                )
            self.known["external", name] = rows[0]["res_id"]
        record_id: int = self.known["external", name]
        return record_id

    def _remove(self, marks: dict[str, dict[str, Any]], dry: bool) -> list[Step]:
        steps = []
        # Rules' actions before the rules: Odoo would delete them in the database and leave their external ids behind.
        order = [name for name in reversed(ORDER) if name != "base.automation"]
        order.insert(order.index("ir.actions.server") + 1, "base.automation")
        for odoo_model in [*order, *{mark["model"] for mark in marks.values()} - set(ORDER)]:
            mine = {key: mark for key, mark in marks.items() if mark["model"] == odoo_model}
            steps += [
                Step("remove", odoo_model, key, f"Remove {KINDS.get(odoo_model, '')} {key}".replace("  ", " ")) for key in mine
            ]
            if mine and not dry:
                self._unlink(odoo_model, [mark["res_id"] for key, mark in mine.items() if key in self.ids])
        if not dry and marks:
            # Odoo deletes a record's external ids with it; what is left are marks of things deleted by hand.
            left = self.client.search("ir.model.data", [("module", "=", MARK), ("name", "in", list(marks))])
            if left:
                self.client.unlink("ir.model.data", left)
        return steps

    def _unlink(self, odoo_model: str, ids: list[int]) -> None:
        if not ids:
            return
        actions: list[int] = []
        if odoo_model == "ir.cron":
            # A scheduled action stands on a server action of its own, which does not go with it.
            rows = self.client.read("ir.cron", ids, ["ir_actions_server_id"])
            actions = [row["ir_actions_server_id"] for row in rows]
        when_free(odoo_model, partial(self.client.unlink, odoo_model, ids))
        if left := actions and self.client.search("ir.actions.server", [("id", "in", actions)]):
            self.client.unlink("ir.actions.server", left)


def when_free(odoo_model: str, act: Callable[[], object]) -> None:
    """Do ``act``; where Odoo refuses to touch a scheduled action because it runs just now, wait until it has ended.

    Odoo says so in the user's language, so any refusal of a scheduled action is tried again for RUNNING_SECONDS.
    """
    until = time.monotonic() + RUNNING_SECONDS
    while True:
        try:
            act()
            return
        except (RefusedError, LockedError):
            if odoo_model != "ir.cron" or time.monotonic() > until:
                raise
            time.sleep(0.2)


def _same(name: str, wanted: Any, standing: Any) -> bool:
    if isinstance(wanted, list) and wanted and wanted[0][0] == 6:
        return sorted(wanted[0][2]) == sorted(standing or [])
    if isinstance(wanted, str) and isinstance(standing, str):
        # Odoo writes a view anew as it stores it: the breaks between attributes become spaces.
        return wanted.split() == standing.split() if name == "arch_base" else wanted.strip() == standing.strip()
    return (wanted or False) == (standing or False)


def _step(action: str, resource: Resource, more: str = "") -> Step:
    words = f"{VERBS[action]} {KINDS[resource.odoo_model]} {resource.title}{more}".replace("  ", " ")
    return Step(action, resource.odoo_model, resource.key, words)
