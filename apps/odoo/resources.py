"""From a blueprint to rows of Odoo's own tables: each item as resources with a stable key, in the order of making.

Values that are ids in Odoo are written as references and looked up when they are needed, because some of what they
point at is made on the way.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from apps.odoo.blueprint import (
    Blueprint,
    Code,
    ContextAction,
    CustomField,
    CustomModel,
    CustomRow,
    GuardRule,
    HookRule,
    Item,
    ReleaseRule,
    ScheduledAction,
    ViewPatch,
)
from apps.odoo.guards import ASK, line_guard_code
from apps.odoo.models import Connection
from apps.odoo.versions import major

MARK = "x_controltower"
PREFIX = "Control Tower: "
GROUP_KEY = "group_tower"
# What is made first stands first; removal goes the other way.
ORDER = (
    "res.groups",
    "ir.model",
    "ir.model.fields",
    "ir.model.access",
    ASK,
    "base.automation",
    "ir.actions.server",
    "ir.ui.view",
    "ir.cron",
)
# A new record that leaves the fields empty is anybody's; user 1 is Odoo itself. Some models give back a record that was there
# when one is created, as stock.quant does for every count: of an older one, creating has set none of these fields.
LOCK = """\
is_new = env.context.get('old_values') is None
was_there = is_new and record.create_date.replace(microsecond=0) < env.cr.now().replace(microsecond=0)
if not was_there and (not is_new or any([record[name] for name in {names}])):
    if env.uid != 1 and not env.user.has_group('x_controltower.group_tower'):
        raise UserError('Only Control Tower may change these fields: holds and releases are decided there.')
"""


@dataclass(frozen=True)
class ModelRef:
    """The id of the ``ir.model`` row of ``model``."""

    model: str


@dataclass(frozen=True)
class FieldRefs:
    """The ids of the ``ir.model.fields`` rows of ``names`` of ``model`` that this Odoo has."""

    model: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class ExternalRef:
    """The id behind an external id such as ``sale.view_order_form``."""

    name: str


@dataclass(frozen=True)
class KeyRef:
    """The id of another resource of the tower's."""

    key: str


@dataclass(frozen=True)
class Resource:
    """One row to stand in Odoo's table ``odoo_model``.

    ``key`` is its external id under the tower's mark. ``natural`` finds it when it was made but never marked, because
    a call was cut off between the two. ``fixed`` values are set at creation and not compared afterwards.
    """

    key: str
    odoo_model: str
    title: str
    values: dict[str, Any]
    natural: dict[str, Any]
    fixed: dict[str, Any]
    needs_model: str = ""


def hook_url(connection: Connection) -> str:
    """Where this connection's Odoo sends its messages. The secret in it grants "please read this record again"."""
    return f"{settings.INTAKE_URL}/hooks/odoo/{connection.hook_secret}/"


def compiled(blueprint: Blueprint, connection: Connection) -> list[Resource]:
    """The resources of ``blueprint`` in the order in which they are made."""
    found = [_group(connection)]
    for item in blueprint.items:
        found.extend(_of(item, connection))
    found.extend(_locks(blueprint))
    keys = [resource.key for resource in found]
    if doubled := {key for key in keys if keys.count(key) > 1}:
        raise ValueError(f"The blueprint names {', '.join(sorted(doubled))} more than once. Give each its own name.")
    return sorted(found, key=lambda resource: ORDER.index(resource.odoo_model))


def _of(item: Item, connection: Connection) -> Iterator[Resource]:
    match item:
        case CustomField():
            yield _field(item, connection)
        case CustomModel():
            yield from _model(item, connection)
        case CustomRow():
            yield _row(item)
        case HookRule():
            yield from _hook(item, connection)
        case GuardRule():
            yield from _guard(item, connection)
        case ReleaseRule():
            yield from _release(item, connection)
        case ContextAction():
            yield _context_action(item, connection)
        case ViewPatch():
            yield _view(item)
        case ScheduledAction():
            yield _schedule(item, connection)


def _slug(*parts: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", "_".join(parts).lower()).strip("_")


def _text(code: Code, connection: Connection) -> str:
    # Odoo strips what it stores; compared unstripped, each apply would find a change.
    return (code if isinstance(code, str) else code(connection)).strip()


def _group(connection: Connection) -> Resource:
    # Members were "users" up to 18.
    members = "user_ids" if major(connection.version) >= 19 else "users"
    title = "Control Tower"
    fixed = {members: [(4, connection.uid)]} if connection.uid else {}
    return Resource(GROUP_KEY, "res.groups", title, {"name": title}, {"name": title}, fixed)


def _field(item: CustomField, connection: Connection) -> Resource:
    natural = {"model": item.model, "name": item.name}
    values: dict[str, Any] = {
        "field_description": item.label,
        "help": item.help or False,
        "copied": False,
    }
    if item.compute:
        code = _text(item.compute, connection)
        values |= {"compute": code, "store": False, "readonly": True}
    fixed = {"name": item.name, "ttype": item.ttype, "state": "manual", "model_id": ModelRef(item.model)}
    key = "field_" + _slug(item.model, item.name)
    return Resource(key, "ir.model.fields", f"{item.label} ({item.name}) on {item.model}", values, natural, fixed, item.model)


def _model(item: CustomModel, connection: Connection) -> Iterator[Resource]:
    yield Resource(
        "model_" + _slug(item.model),
        "ir.model",
        f"{item.label} ({item.model})",
        {"name": item.label},
        {"model": item.model},
        {"model": item.model, "state": "manual", "field_id": []},
    )
    for one in item.fields:
        yield _field(one, connection)
    for number, group in enumerate(["", *item.access_groups]):
        name = f"{PREFIX}{item.model} {number}"
        values: dict[str, Any] = {
            "group_id": ExternalRef(group) if group else KeyRef(GROUP_KEY),
            "perm_read": True,
            "perm_write": True,
            "perm_create": True,
            "perm_unlink": not group,
        }
        yield Resource(
            "access_" + _slug(item.model, str(number)),
            "ir.model.access",
            f"the right to {item.model} for {group or 'Control Tower'}",
            values,
            {"name": name},
            {"name": name, "model_id": ModelRef(item.model)},
            item.model,
        )


def _row(item: CustomRow) -> Resource:
    what = " ".join(str(value) for value in item.values.values())
    natural = dict(item.values)
    return Resource("row_" + _slug(item.model, what), item.model, f"of {item.model} for {what}", {}, natural, natural, item.model)


def _rule(key: str, name: str, model: str, values: dict[str, Any]) -> Resource:
    return Resource(
        "rule_" + key,
        "base.automation",
        name,
        {"active": True, "name": name} | values,
        {"name": name, "model_name": model},
        {"model_id": ModelRef(model)},
        model,
    )


def _rule_action(key: str, name: str, model: str, values: dict[str, Any]) -> Resource:
    fixed = {"model_id": ModelRef(model), "usage": "base_automation", "base_automation_id": KeyRef("rule_" + key)}
    return Resource(
        "action_" + key,
        "ir.actions.server",
        f"the action of {name}",
        {"name": name} | values,
        {"name": name, "model_name": model},
        fixed,
        model,
    )


def _hook(item: HookRule, connection: Connection) -> Iterator[Resource]:
    key, on = _slug("hook", item.model, item.trigger), item.trigger.removeprefix("on_").replace("_", " ")
    name = f"{PREFIX}tell of {item.model} ({on})"
    rule: dict[str, Any] = {
        "trigger": item.trigger,
        "filter_domain": item.domain or False,
        "trigger_field_ids": FieldRefs(item.model, tuple(item.watch)),
        "active": connection.hooks_wanted,
    }
    if item.trigger == "on_unlink":
        del rule["trigger_field_ids"]
    yield _rule(key, name, item.model, rule)
    yield _rule_action(
        key,
        name,
        item.model,
        {
            "state": "webhook",
            "webhook_url": hook_url(connection),
            "webhook_field_ids": FieldRefs(item.model, tuple(dict.fromkeys(["write_date", *item.fields]))),
        },
    )


def guard_key(model: str, name: str) -> str:
    """Key of the guard's action: it runs itself again by its external id."""
    return "action_" + _slug("guard", model, name)


def external_id(key: str) -> str:
    """The external id in Odoo of what has ``key``."""
    return f"{MARK}.{key}"


def _guard(item: GuardRule, connection: Connection) -> Iterator[Resource]:
    key, name = _slug("guard", item.model, item.name), PREFIX + item.name
    states = list(item.states)
    rule = {
        "trigger": "on_create_or_write",
        "filter_domain": repr([("state", "=", states[0]) if len(states) == 1 else ("state", "in", states)]),
        "trigger_field_ids": FieldRefs(item.model, ("state", *item.watch)),
    }
    yield _rule(key, name, item.model, rule)
    yield _rule_action(key, name, item.model, {"state": "code", "code": _text(item.code, connection)})
    for model, link, watch in item.lines:
        key, name = _slug("guard", model, item.name), f"{PREFIX}{item.name}: {model}"
        rule = {
            "trigger": "on_create_or_write",
            # The line's own copy of the state: to follow the link costs more, and each computed field of a line asks.
            "filter_domain": repr([("state", "in", states)]),
            "trigger_field_ids": FieldRefs(model, tuple(watch)),
        }
        code = line_guard_code(link=link, key=external_id(guard_key(item.model, item.name)), states=states)
        yield _rule(key, name, model, rule)
        yield _rule_action(key, name, model, {"state": "code", "code": code.strip()})


def _release(item: ReleaseRule, connection: Connection) -> Iterator[Resource]:
    key, name = _slug("releases", item.model), f"{PREFIX}releases on {item.model} name what they are for"
    rule = {
        "trigger": "on_create_or_write",
        "filter_domain": False,
        "trigger_field_ids": FieldRefs(item.model, tuple(item.watch)),
    }
    yield _rule(key, name, item.model, rule)
    yield _rule_action(key, name, item.model, {"state": "code", "code": _text(item.code, connection)})


def _locks(blueprint: Blueprint) -> Iterator[Resource]:
    """A rule for each model with fields that only the tower may write."""
    # Odoo stores groups on a custom field and never looks at them (tried on 19), so a rule must keep people out.
    locked = [item for item in blueprint.items if isinstance(item, CustomField) and item.tower_only]
    for model in dict.fromkeys(item.model for item in locked):
        names = tuple(item.name for item in locked if item.model == model)
        key, name = _slug("lock", model), f"{PREFIX}only Control Tower writes its fields on {model}"
        rule = {
            "trigger": "on_create_or_write",
            "filter_domain": False,
            "trigger_field_ids": FieldRefs(model, names),
        }
        yield _rule(key, name, model, rule)
        yield _rule_action(key, name, model, {"state": "code", "code": LOCK.format(names=list(names)).strip()})


def _context_action(item: ContextAction, connection: Connection) -> Resource:
    # The one thing whose name a person reads in a menu: no prefix.
    return Resource(
        "menu_" + _slug(item.model, item.name),
        "ir.actions.server",
        f"'{item.name}' in the Action menu of {item.model}",
        {
            "name": item.name,
            "state": "code",
            "code": _text(item.code, connection),
            "binding_model_id": ModelRef(item.model),
            "binding_view_types": "list,form",
        },
        {"name": item.name, "model_name": item.model},
        {"model_id": ModelRef(item.model), "binding_type": "action"},
        item.model,
    )


def _view(item: ViewPatch) -> Resource:
    name = PREFIX + item.name
    # Lists were "tree" up to 17: Odoo takes the type from the view that is inherited.
    own = {"name": name} | ({} if item.ttype == "list" else {"type": item.ttype})
    own |= {} if item.ttype == "qweb" else {"model": item.model}
    return Resource(
        "view_" + _slug(item.model, item.name),
        "ir.ui.view",
        f"{item.name} on the {'page' if item.ttype == 'qweb' else item.ttype} {item.form}",
        {"inherit_id": ExternalRef(item.form), "arch_base": item.arch.strip(), "active": True, "priority": 99},
        own,
        {**own, "mode": "extension"},
        item.model,
    )


def _schedule(item: ScheduledAction, connection: Connection) -> Resource:
    name = PREFIX + item.name
    fixed: dict[str, Any] = {"model_id": ModelRef(item.model), "state": "code", "name": name}
    if major(connection.version) < 18:
        fixed["numbercall"] = -1
    return Resource(
        "cron_" + _slug(item.name),
        "ir.cron",
        f"{item.name}, every {item.interval_minutes} minutes",
        {
            "code": _text(item.code, connection),
            "interval_number": item.interval_minutes,
            "interval_type": "minutes",
            "active": True,
        },
        {"cron_name": name},
        fixed,
        item.model,
    )
