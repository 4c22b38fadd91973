"""Make an Odoo known to the tower: verified first, stored whole or not at all."""

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext

from apps.audit import trail
from apps.core.actor import Actor, system
from apps.odoo import faults
from apps.odoo.addresses import checked_url
from apps.odoo.capabilities import Report, keep, look
from apps.odoo.client import forget
from apps.odoo.errors import AddressRefusedError
from apps.odoo.models import Connection, Transport

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")


def register(
    name: str,
    url: str,
    database: str,
    login: str,
    key: str,
    *,
    transport: str = Transport.AUTO,
    wanted: Mapping[str, Sequence[str]] | None = None,
    optional: Collection[str] = (),
    by: Actor | None = None,
    now: datetime,
) -> tuple[Connection, Report]:
    """Store the connection ``name``, or give the one of that name new credentials, once Odoo has accepted them.

    ``wanted`` are the models and fields that the mirror would read (model name to field names); of those among the
    ``optional`` it is not said that Odoo lacks them. Nothing is stored when Odoo refuses. Raises ValueError for a name or
    transport that cannot be, and any error of
    :mod:`apps.odoo.errors`.
    """
    if not NAME.fullmatch(name):
        raise ValueError(
            gettext("'%(name)s' cannot name a connection: use small letters, digits, - and _, at most 50.") % {"name": name}
        )
    if transport not in Transport.values:
        raise ValueError(
            gettext("'%(transport)s' is not a transport: choose one of %(known)s.")
            % {"transport": transport, "known": ", ".join(Transport.values)}
        )
    for what, value in (("database", database), ("login", login), ("key", key)):
        if not value.strip():
            raise ValueError(gettext("Connection '%(name)s' needs a %(what)s.") % {"name": name, "what": what})
    url = checked_url(url, connection=name)
    if len(url) > 300:
        raise AddressRefusedError(name, gettext("the address is longer than 300 characters"), gettext("Enter Odoo's address."))
    trial = Connection(name=name, url=url, database=database, login=login, api_key=key, transport=transport)
    try:
        report = look(trial, wanted or {}, optional=optional, now=now)
    except BaseException:
        forget(trial)
        raise
    if report.login.casefold() != login.casefold():
        # JSON-2 asks for no login, so a key of somebody else's would pass unnoticed.
        forget(trial)
        raise faults.not_accepted(name, login=login, database=database)
    with transaction.atomic():
        connection = Connection.objects.select_for_update().filter(name=name).first() or Connection(name=name)
        is_new = connection.pk is None
        connection.url, connection.database, connection.login = url, database, login
        connection.api_key, connection.transport, connection.is_active = key, transport, True
        keep(connection, report, now=now)
        connection.save()
        trail.record(
            trail.Event(
                action="connection.registered" if is_new else "connection.changed",
                actor=by or system("connect_odoo"),
                subject=f"connection:{name}",
                data={"url": url, "database": database, "login": login, "version": report.version},
                about=(connection.pk, None),
            ),
            now=now,
        )
    return connection, report
