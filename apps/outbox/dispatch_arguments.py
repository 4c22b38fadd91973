"""What a command's arguments leave to be looked up when the call is made: in Odoo, or of what the tower keeps."""

import base64
from collections.abc import Sequence
from typing import Any

from django.apps import apps

from apps.odoo import client as wire
from apps.odoo.versions import major
from apps.workflows.placeholders import COPIED, ENTERED, IDS, KEPT, MODEL_REFERENCE

# Before it, a form names what it shows by a flag a field.
FIELDS_SPEC_SINCE = 17


def resolve(client: wire.OdooClient, arguments: Any, *, model: str) -> Any:
    """Return ``arguments`` with Odoo's own records and the tower's files looked up, all the way down.

    A reference to the model is the id of ``model`` in Odoo's list of models (apps/workflows/placeholders.py).
    """
    if isinstance(arguments, dict):
        if KEPT in arguments:
            return _kept(*arguments[KEPT])
        if IDS in arguments:
            named, domain = arguments[IDS]
            return [row["id"] for row in client.search_read(named, domain, ["id"], order="id", primary=True)]
        values = {key: resolve(client, inner, model=model) for key, inner in arguments.items() if key not in (COPIED, ENTERED)}
        if ENTERED in arguments:
            return values | _entered(client, *arguments[ENTERED], values=values)
        return _copied(client, *arguments[COPIED]) | values if COPIED in arguments else values
    if isinstance(arguments, list):
        return [resolve(client, inner, model=model) for inner in arguments]
    if arguments == MODEL_REFERENCE:
        found = client.search_read("ir.model", [["model", "=", model]], ["id"], limit=1)
        return found[0]["id"] if found else False
    return arguments


def _copied(client: wire.OdooClient, model: str, odoo_id: int) -> dict[str, Any]:
    """What a copy of the record would be made of: as Odoo's own copying has it, taxes, discount, analytic accounts and all."""
    found = client.call(model, "copy_data", [odoo_id])
    values: dict[str, Any] = found[0] if isinstance(found, list) else found
    return values


def _entered(
    client: wire.OdooClient, model: str, field: str, following: Sequence[str], *, values: dict[str, Any]
) -> dict[str, Any]:
    """What stands in ``following`` once ``field`` is entered on Odoo's form: Odoo's choice, else that of ``values``."""
    entered = dict.fromkeys(following, False) | {name: value for name, value in values.items() if not isinstance(value, list)}
    shown = [*following, field]
    if major(client.version()) >= FIELDS_SPEC_SINCE:
        asked: dict[str, Any] = {"field_names": [field], "fields_spec": {name: {} for name in shown}}
    else:
        asked = {"field_name": field, "field_onchange": dict.fromkeys(shown, "1")}
    said = client.call(model, "onchange", [], values=entered, **asked)
    found = said.get("value", {})
    return {name: _id_of(found[name]) if name in found else entered[name] for name in following}


def _id_of(said: Any) -> Any:
    """The id of a record, which the versions of Odoo say alone or beside its name; another value as it is."""
    if isinstance(said, dict):
        return said["id"]
    return said[0] if isinstance(said, list | tuple) else said


def _kept(model: str, field: str, key: str) -> str:
    """The content of a file that the tower keeps. Raises DoesNotExist where it keeps it no longer."""
    found = apps.get_model(model)._default_manager.values_list(field, flat=True).get(pk=key)
    return base64.b64encode(bytes(found)).decode()
