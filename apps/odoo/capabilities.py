"""What the tower can and cannot do in an Odoo, found by asking it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.odoo.client import OdooClient, connect
from apps.odoo.errors import ForbiddenError, OdooError, UnsupportedError
from apps.odoo.models import OWN_FIELD, Connection, ConnectionState
from apps.odoo.transitions import CONNECTIONS
from apps.odoo.versions import major

WEBHOOKS_SINCE = 17
HAS_ACCESS_SINCE = 18
KEY_WARNING = timedelta(days=14)
PROVISIONED_MODELS = (
    "base.automation",
    "ir.actions.server",
    "ir.model",
    "ir.model.fields",
    "ir.model.access",
    "ir.ui.view",
    "ir.cron",
)


# What Odoo 19 called anew, and how it was called before: the tower uses the new names alone.
FORMER_NAMES: dict[str, dict[str, str]] = {
    "sale.order.line": {"product_uom_id": "product_uom"},
    "purchase.order.line": {"product_uom_id": "product_uom"},
    "product.supplierinfo": {"product_uom_id": "product_uom"},
}


@dataclass(frozen=True)
class ModelReport:
    """What there is of one model.

    Attributes:
        missing_fields: the wanted ones that this Odoo, or this login, has not.
        former_names: how this Odoo calls those that have another name there.
        own_fields: those that the tower made there.
        activities: whether its records have a chatter and activities.
    """

    readable: bool
    writable: bool
    missing_fields: list[str] = field(default_factory=list)
    own_fields: list[str] = field(default_factory=list)
    former_names: dict[str, str] = field(default_factory=dict)
    activities: bool = False


@dataclass(frozen=True)
class Report:
    """What was found. Times are aware, in UTC; ``currency`` is the login's company's."""

    connection: str
    version: str
    transport: str
    uid: int
    login: str
    company_ids: list[int]
    currency: str
    models: dict[str, ModelReport]
    missing_models: list[str]
    has_automation: bool
    has_webhooks: bool
    can_provision: bool
    reads_history: bool
    key_expires_at: datetime | None
    probed_at: datetime

    @property
    def problems(self) -> list[str]:
        """What the tower cannot do there, and the remedy, each a sentence."""
        said = []
        if self.missing_models:
            said.append(
                f"There is no {_list(self.missing_models)} here; what needs them is left out. Install the apps that "
                "have them and run connect_odoo again to change that."
            )
        if unreadable := [name for name, model in self.models.items() if not model.readable]:
            said.append(f"Login '{self.login}' may not read {_list(unreadable)}. Give it the right in Odoo.")
        for name, model in self.models.items():
            if model.readable and model.missing_fields:
                said.append(f"{name} lacks {_list(model.missing_fields)}; these are left out of the mirror.")
        if not self.has_webhooks:
            said.append(f"Odoo {self.version} sends no webhooks (they came with 17): changes are found by polling.")
        elif not self.has_automation:
            said.append("The app 'Automation Rules' is not installed: install it, or changes are found by polling alone.")
        elif not self.can_provision:
            said.append(f"Login '{self.login}' may not change settings: provision_odoo needs an administrator's key, once.")
        if not self.reads_history:
            said.append("The history of states cannot be read by this login: history begins with the first sync.")
        if self.key_expires_at and self.key_expires_at - self.probed_at < KEY_WARNING:
            said.append(
                f"An API key of '{self.login}' ends on {self.key_expires_at:%d %B %Y}. Make a new one in Odoo "
                "(Preferences, Account Security) and run connect_odoo again before that."
            )
        return said

    def sentences(self) -> list[str]:
        """What the tower can do there, then what it cannot, for a person to read."""
        readable = sum(model.readable for model in self.models.values())
        writable = sum(model.writable for model in self.models.values())
        asked = len(self.models) + len(self.missing_models)
        said = [
            f"Connection '{self.connection}' speaks to Odoo {self.version} as '{self.login}' over {self.transport}.",
            f"It sees {len(self.company_ids)} {'company' if len(self.company_ids) == 1 else 'companies'} and counts in "
            f"{self.currency or 'an unknown currency'}.",
            f"It can read {readable} of the {asked} models that the tower mirrors, and write {writable} of them.",
        ]
        if self.can_provision and self.has_automation and self.has_webhooks:
            said.append("It can set up webhooks and guards (provision_odoo).")
        return said + self.problems

    def as_capabilities(self) -> dict[str, Any]:
        """The report as it is kept in ``Connection.capabilities``."""
        kept = asdict(self)
        kept["probed_at"] = self.probed_at.isoformat()
        kept["key_expires_at"] = self.key_expires_at.isoformat() if self.key_expires_at else None
        return kept | {"problems": self.problems, "abilities": [text for text in self.sentences() if text not in self.problems]}


def probe(connection: Connection, wanted: Mapping[str, Sequence[str]], *, optional: Collection[str] = (), now: datetime) -> Report:
    """Ask ``connection`` what is there of the ``wanted`` models and fields, and keep the answer on it.

    An Odoo without a model that is among the ``optional`` is no worse for it: that it is missing is not said.

    A failure is kept on the connection too (state and problem), then raised: any error of :mod:`apps.odoo.errors`.
    """
    try:
        report = look(connection, wanted, optional=optional, now=now)
    except OdooError as error:
        note_failure(connection, error, now=now)
        raise
    keep(connection, report, now=now)
    return report


def look(connection: Connection, wanted: Mapping[str, Sequence[str]], *, optional: Collection[str] = (), now: datetime) -> Report:
    """:func:`probe` without keeping anything."""
    with connect(connection) as client:
        me = client.read("res.users", [client.uid], ["login", "company_id", "company_ids"])
        who: dict[str, Any] = me[0] if me else {}
        models: dict[str, ModelReport] = {}
        missing: list[str] = []
        for name, fields in wanted.items():
            model = _model(client, name, fields)
            if model is not None:
                models[name] = model
            elif name not in optional:
                missing.append(name)
        version = client.version()
        return Report(
            connection=connection.name,
            version=version,
            transport=client.transport_name,
            uid=client.uid,
            login=who.get("login") or connection.login,
            company_ids=who.get("company_ids") or [],
            currency=_currency(client, who.get("company_id")),
            models=models,
            missing_models=missing,
            has_automation=_may(client, "base.automation", "read") is not None,
            has_webhooks=major(version) >= WEBHOOKS_SINCE,
            can_provision=all(_may(client, name, "create") for name in PROVISIONED_MODELS),
            reads_history=bool(_may(client, "mail.tracking.value", "read")),
            key_expires_at=_key_expires_at(client, now),
            probed_at=now,
        )


def keep(connection: Connection, report: Report, *, now: datetime) -> None:
    """Put ``report`` on ``connection``, which now counts as connected. Saves it where it is stored already."""
    if connection.state != ConnectionState.CONNECTED:
        CONNECTIONS.make("connect", connection)
        connection.state_since = now
    connection.version, connection.uid, connection.problem = report.version[:40], report.uid, ""
    connection.capabilities = report.as_capabilities()
    _save(connection, "version", "uid", "capabilities")


def note_failure(connection: Connection, error: OdooError, *, now: datetime) -> None:
    """Keep on ``connection`` that it fails, since when, and in words why."""
    if connection.state != ConnectionState.FAILING:
        CONNECTIONS.make("fail", connection)
        connection.state_since = now
    connection.problem = str(error)
    _save(connection)


def _save(connection: Connection, *fields: str) -> None:
    if connection.pk:
        connection.save(update_fields=["state", "state_since", "problem", *fields])


def _may(client: OdooClient, model: str, operation: str) -> bool | None:
    """Whether the login may ``operation`` (read, write, create) on ``model``; None where there is no such model."""
    try:
        if major(client.version()) >= HAS_ACCESS_SINCE:
            return bool(client.call(model, "has_access", [], operation=operation))
        return bool(client.call(model, "check_access_rights", operation=operation, raise_exception=False))
    except UnsupportedError:
        return None
    except ForbiddenError:
        return False


def _model(client: OdooClient, name: str, wanted: Sequence[str]) -> ModelReport | None:
    readable = _may(client, name, "read")
    if readable is None:
        return None
    if not readable:
        return ModelReport(readable=False, writable=False)
    try:
        there = client.fields_get(name, ["type"])
    except ForbiddenError:
        return ModelReport(readable=False, writable=False)
    former = {one: old for one, old in FORMER_NAMES.get(name, {}).items() if one not in there and old in there}
    missing = [one for one in wanted if one not in there and one not in former]
    return ModelReport(
        former_names=former,
        readable=True,
        writable=bool(_may(client, name, "write")),
        missing_fields=missing,
        own_fields=sorted(one for one in there if one.startswith(OWN_FIELD)),
        activities={"message_ids", "activity_ids"} <= set(there),
    )


def _currency(client: OdooClient, company_id: int | None) -> str:
    if not company_id:
        return ""
    company = client.read("res.company", [company_id], ["currency_id"])
    found = client.read("res.currency", [company[0]["currency_id"]], ["name"]) if company else []
    return str(found[0]["name"]) if found else ""


def _key_expires_at(client: OdooClient, now: datetime) -> datetime | None:
    """When the first of the login's living keys ends. Which of them the tower holds, Odoo does not tell."""
    try:
        rows = client.search_read("res.users.apikeys", [("user_id", "=", client.uid)], ["expiration_date"])
    except (ForbiddenError, UnsupportedError):
        return None
    ends = [datetime.fromisoformat(row["expiration_date"]).replace(tzinfo=UTC) for row in rows if row["expiration_date"]]
    return min((end for end in ends if end > now), default=None)


def _list(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
