"""Creating, changing and deleting records, with everything that follows from it."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sandbox import automation, computed, drafts, searching, tracking
from sandbox.absent import ABSENT_FIELDS, ABSENT_VALUES, USE_REAL
from sandbox.errors import MissingError, UnsupportedError, UserError, ValidationError
from sandbox.records import Env, Records, method
from sandbox.schema import COMPUTED, OTHER_END, RELATED, X2MANY, Field, empty

Row = dict[str, Any]
# What goes with a record: its own model to (model, field) of what is deleted too.
CASCADES = {
    "sale.order": (("sale.order.line", "order_id"),),
    "purchase.order": (("purchase.order.line", "order_id"),),
    "stock.picking": (("stock.move", "picking_id"),),
    "account.move": (("account.move.line", "move_id"),),
    "base.automation": (("ir.actions.server", "base_automation_id"),),
    "ir.model": (("ir.model.fields", "model_id"), ("ir.model.access", "model_id"), ("base.automation", "model_id")),
    "product.template": (("product.product", "product_tmpl_id"),),
}
# What a record cannot be without, and nothing fills in.
MANDATORY = {
    "sale.order": ("partner_id",),
    "sale.order.line": ("order_id",),
    "purchase.order": ("partner_id",),
    "purchase.order.line": ("order_id",),
    "account.move.line": ("move_id",),
    "res.users": ("login",),
    "product.template": ("name",),
    "product.product": ("product_tmpl_id",),
    "ir.model": ("model", "name"),
    "ir.model.fields": ("model_id", "name", "ttype"),
    "ir.model.access": ("model_id", "name"),
    "ir.model.data": ("model", "name"),
    "base.automation": ("model_id", "name", "trigger"),
    "ir.actions.server": ("model_id",),
}


@method(of_model=True)
def create(records: Records, vals_list: Row | Sequence[Row]) -> Records:
    """New records of ``vals_list`` (one dictionary or several)."""
    env, model = records.env, records._name
    company = env.engine
    company.check_access(env, model, "create")
    made = []
    for given in [vals_list] if isinstance(vals_list, dict) else vals_list:
        values = {**company.defaults(env, model), **given}
        values = computed.before_create(env, model, values)
        plain, commands = _split(env, model, values, [])
        table = company.store.table(model)
        odoo_id = plain.pop("id", None) or table.next_id
        table.next_id = max(table.next_id, odoo_id + 1)
        stamp = {"create_date": env.cr.now, "write_date": env.cr.now, "create_uid": env.uid, "write_uid": env.uid}
        for name in MANDATORY.get(model, ()):
            if not plain.get(name):
                raise _mandatory(company, model, company.models[model][name])
        env.cr.put(model, odoo_id, {"id": odoo_id, **stamp, **plain})
        for name, orders in commands.items():
            _command(env, model, odoo_id, company.models[model][name], orders)
        computed.settle(env, model, [odoo_id], set(plain) | set(commands), is_new=True)
        if model == "product.template" and "product_variant_ids" not in commands:
            # A template without variants has one all the same; these of its values are the variant's.
            own = {name: plain[name] for name in ("default_code", "standard_price") if name in plain}
            create(Records(env, "product.product", ()), {"product_tmpl_id": odoo_id, **own})
        made.append(odoo_id)
    company.changed_settings(model)
    automation.after_create(env, model, made)
    return Records(env, model, made)


def _mandatory(company: Any, model: str, field: Field) -> ValidationError:
    table = company.store.table("ir.model")
    label = next((row["name"] for row in table.rows.values() if row["model"] == model), model)
    return ValidationError(
        "The operation cannot be completed: Missing required value for the field "
        f"'{field.string}' ({field.name}).\nModel: '{label}' ({model})\n"
        "- create/update: a mandatory field is not set\n"
        "- delete: another model requires the record being deleted, you can archive it instead\n"
    )


@method()
def write(records: Records, vals: Row) -> bool:
    """Set ``vals`` on the records."""
    env, model = records.env, records._name
    company = env.engine
    company.check_access(env, model, "write")
    check_there(records)
    plain, commands = _split(env, model, computed.before_write(env, model, vals), records.ids)
    olds = store_changes(env, model, dict.fromkeys(records.ids, plain))
    for odoo_id in records.ids:
        for name, orders in commands.items():
            _command(env, model, odoo_id, company.models[model][name], orders)
    computed.settle(env, model, records.ids, set(plain) | set(commands))
    company.changed_settings(model)
    automation.after_write(env, model, olds)
    return True


def store_changes(env: Env, model: str, changes: dict[int, Row]) -> dict[int, Row]:
    """Put values into rows, stamped; what was written, as it was."""
    table, olds = env.engine.store.table(model), {}
    for odoo_id, values in changes.items():
        old = table.get(odoo_id)
        if old is None:
            continue
        olds[odoo_id] = {name: old.get(name) for name in values}
        env.cr.put(model, odoo_id, {**old, **values, "write_date": env.cr.now, "write_uid": env.uid})
        tracking.note(env, model, odoo_id, old, {**old, **values})
    return olds


@method()
def _derive(records: Records, values: Row) -> None:
    """Set computed values where they differ; this too is a change that rules and webhooks see."""
    env, model, odoo_id = records.env, records._name, records.id
    row = env.engine.store.table(model).get(odoo_id)
    if row is None:
        return
    changed = {name: value for name, value in values.items() if row.get(name) != value}
    if changed:
        olds = store_changes(env, model, {odoo_id: changed})
        computed.settle(env, model, [odoo_id], set(changed))
        automation.after_write(env, model, olds)


@method()
def unlink(records: Records) -> bool:
    """Delete the records, and what goes with them."""
    env, model = records.env, records._name
    company = env.engine
    company.check_access(env, model, "unlink")
    check_there(records)
    if model == "sale.order" and any(one.state not in ("draft", "cancel") for one in records):
        raise UserError("You can not delete a sent quotation or a confirmed sales order. You must first cancel it.")
    automation.before_unlink(env, model, records.ids)
    parents, sold = computed.parents(env, model, records.ids), drafts.sold_by(env, model, records.ids)
    for child, field in CASCADES.get(model, ()):
        company.store.table(child).index(field)
        inner = searching.search(env(su=True, context={"active_test": False}), child, [(field, "in", records.ids)])
        if inner:
            unlink(Records(env(su=True, context={**env.context, "settles_later": True}), child, inner))
    names = {company.value("ir.model", one, "model") for one in records.ids} if model == "ir.model" else set()
    for odoo_id in records.ids:
        env.cr.put(model, odoo_id, None)
    for name in names:
        for odoo_id in list(company.store.table(name).rows):
            env.cr.put(name, odoo_id, None)
    if model == "ir.model.fields":
        _forget_columns(env, records.ids)
    _forget_marks(env, model, records.ids)
    for name in names:
        _forget_marks(env, name, None)
    company.changed_settings(model)
    for parent, odoo_id in parents:
        computed.settle(env, parent, [odoo_id], {computed.PARENTS[model][2]})
    drafts.count_invoiced(env, sold)
    return True


def _forget_marks(env: Env, model: str, ids: list[int] | None) -> None:
    table = env.engine.store.table("ir.model.data")
    for odoo_id in list(table.indexes.get("model", {}).get(model, ())):
        row = table.rows[odoo_id]
        if ids is None or row["res_id"] in ids:
            env.cr.put("ir.model.data", odoo_id, None)


def _forget_columns(env: Env, ids: list[int]) -> None:
    """A field's values go with it. Nothing is stamped: Odoo drops the column without touching the rows."""
    gone = [row for model, odoo_id, row, _ in env.cr.undo if model == "ir.model.fields" and odoo_id in ids and row]
    for field in gone:
        table = env.engine.store.table(field["model"])
        for odoo_id, row in list(table.rows.items()):
            if field["name"] in row:
                env.cr.put(field["model"], odoo_id, {key: value for key, value in row.items() if key != field["name"]})


def check_there(records: Records) -> None:
    """Raises MissingError where a record is gone."""
    table = records.env.engine.store.table(records._name)
    for one in records.ids:
        if table.get(one) is None:
            raise MissingError(
                f"Record does not exist or has been deleted.\n(Record: {records._name}({one},), User: {records.env.uid})"
            )


def _split(env: Env, model: str, values: Row, ids: list[int]) -> tuple[Row, dict[str, list[Any]]]:
    """Values for the row itself, and commands for lists of records. Raises UnsupportedError for what would be left out."""
    declared = env.engine.models[model]
    plain: Row = {}
    commands: dict[str, list[Any]] = {}
    for name, value in values.items():
        field = declared.get(name)
        if field is None:
            lacks = f": {ABSENT_FIELDS[name]}. {USE_REAL}" if name in ABSENT_FIELDS else ""
            raise ValueError(f"Invalid field {name!r} in {model!r}{lacks}")
        if isinstance(value, str) and (model, name, value) in ABSENT_VALUES:
            raise UserError(f"{ABSENT_VALUES[model, name, value]}. {USE_REAL}")
        if field.type in X2MANY:
            if (model, name) not in COMPUTED or field.inverse:
                commands[name] = list(value or [])
            elif value:
                raise _unsupported(model, name, f"commands {value!r} on a computed list")
        elif (model, name) in COMPUTED or (model, name) in RELATED:
            _write_elsewhere(env, model, name, values, ids)
        else:
            plain[name] = stored(field, value)
    return plain, commands


def _write_elsewhere(env: Env, model: str, name: str, values: Row, ids: list[int]) -> None:
    """A value that the row does not keep: a variant's goes to its template; any other must be what it will read as."""
    if (model, name) == ("res.partner", "use_partner_credit_limit"):
        # As Odoo's own inverse: switched on it changes nothing, switched off the company's default holds again.
        if ids and not values[name]:
            write(Records(env, model, ids), {"credit_limit": False})
        return
    first = RELATED.get((model, name), "").partition(".")[0]
    for odoo_id in ids or [0]:
        there = values.get(first) or (env.engine.value(model, odoo_id, first) if first and odoo_id else False)
        if first == "product_tmpl_id" and there:
            related = RELATED[model, name].partition(".")[2]
            if env.engine.value("product.template", there, related) != values[name]:
                write(Records(env, "product.template", [there]), {related: values[name]})
        elif not there and first in MANDATORY.get(model, ()):
            continue  # what lacks is told in its own words
        elif first and there:
            relation = env.engine.models[model][first].relation
            if env.engine.value(relation, there, RELATED[model, name].partition(".")[2]) != values[name]:
                raise _unsupported(model, name, f"{values[name]!r} differs from what {first} says")
        elif values[name] and (not odoo_id or env.engine.value(model, odoo_id, name) != values[name]):
            raise _unsupported(model, name, f"{values[name]!r} is computed there, and kept nowhere")


def _unsupported(model: str, name: str, what: str) -> UnsupportedError:
    return UnsupportedError(f"The stand-in cannot do what Odoo does here: {model}.{name}: {what}. {USE_REAL}")


def stored(field: Field, value: Any) -> Any:
    """``value`` as the row keeps it."""
    if isinstance(value, Records):
        return value.id
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    if value is None or value is False:
        return False if field.type != "boolean" else bool(value)
    if field.type in ("float", "monetary"):
        return round(float(value), 6)
    if field.type == "integer":
        return int(value)
    if field.type in ("char", "text", "html", "selection") and not isinstance(value, str):
        return str(value)
    if field.type == "many2one" and not isinstance(value, int):
        raise ValueError(f"Wrong value for {field.name}: {value!r}")
    return value if value != "" else False


def _command(env: Env, model: str, odoo_id: int, field: Field, orders: list[Any]) -> None:
    """Carry out Odoo's commands (0 create, 1 update, 2 delete, 3 unlink, 4 link, 5 clear, 6 set) on a list."""
    if field.type == "one2many":
        # An invoice is drawn up once, after its last line.
        later = {"settles_later": True} if model == "account.move" else {}
        inner = Records(env(context={**env.context, **later}), field.relation, ())
        # Lines go with what they are of; other records stay, and belong to nothing.
        goes_along = (field.relation, field.inverse) in CASCADES.get(model, ())

        def take_off(ids: list[int]) -> None:
            if goes_along:
                unlink(inner.browse(ids))
            elif ids:
                write(inner.browse(ids), {field.inverse: False})

        for given in orders:
            order: Any = (4, given, 0) if isinstance(given, int) else given
            match order[0]:
                case 0:
                    create(inner, {**order[2], field.inverse: odoo_id})
                case 1:
                    write(inner.browse(order[1]), order[2])
                case 2:
                    unlink(inner.browse(order[1]))
                case 3:
                    take_off([order[1]])
                case 4:
                    write(inner.browse(order[1]), {field.inverse: odoo_id})
                case 5:
                    take_off(env.engine.value(model, odoo_id, field.name))
                case 6:
                    had = env.engine.value(model, odoo_id, field.name)
                    take_off([one for one in had if one not in order[2]])
                    write(inner.browse([one for one in order[2] if one not in had]), {field.inverse: odoo_id})
                case _:
                    raise _unsupported(model, field.name, f"command {order!r}")
        return
    old = list(env.engine.value(model, odoo_id, field.name))
    new = list(old)
    for order in orders:
        if isinstance(order, int):
            order = (4, order, 0)
        match order[0]:
            case 0:
                new += create(Records(env, field.relation, ()), order[2]).ids
            case 2 | 3:
                new = [one for one in new if one != order[1]]
            case 4:
                new = [*new, order[1]] if order[1] not in new else new
            case 5:
                new = []
            case 6:
                new = list(dict.fromkeys(order[2]))
            case _:
                raise _unsupported(model, field.name, f"command {order!r}")
    if new == old:
        return
    if (model, field.name) in OTHER_END:
        other_model, other_field = OTHER_END[model, field.name]
        for one in {*old, *new}:
            there = env.engine.value(other_model, one, other_field)
            kept = [*there, odoo_id] if one in new and odoo_id not in there else there
            kept = [kept_id for kept_id in kept if kept_id != odoo_id or one in new]
            if kept != there:
                store_changes(env, other_model, {one: {other_field: kept}})
        return
    row = env.engine.store.table(model).get(odoo_id) or {}
    env.cr.put(model, odoo_id, {**row, field.name: new})


def row_value(field: Field, row: Row) -> Any:
    """A field's value in a row, or what stands for nothing."""
    value = row.get(field.name)
    return empty(field) if value is None else value
