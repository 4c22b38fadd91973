"""The suggested action that writes to a vendor who has not confirmed, or is late: its follow-up, with the link to answer."""

from collections.abc import Sequence
from datetime import datetime

from django.utils.translation import gettext_noop

from apps.accounts import access
from apps.accounts.models import User
from apps.accounts.permissions import may_work_exceptions
from apps.core import sentences
from apps.exceptions.cases import own_actions
from apps.exceptions.cases.own_actions import OwnAction
from apps.exceptions.models import ExceptionCase
from apps.vendors.follow_ups import drafts, sending
from apps.workflows.offers import Option

WRITE = gettext_noop("Write to {vendor} about {orders}")


def _options(case: ExceptionCase, now: datetime) -> Sequence[Option]:
    draft = drafts.draft_of(case)
    if draft is None or (draft.last is not None and now < draft.last.sent_at + sending.AT_LEAST):
        return []
    orders = ", ".join(str(owed.order.name) for owed in draft.owed)
    values = {"vendor": draft.vendor.name or "", "orders": orders}
    return [Option(key=draft.key, told=sentences.compose(WRITE, values), columns={})]


def _send(case: ExceptionCase, option: Option, by: User, now: datetime) -> None:
    draft = drafts.draft_of(case)
    sending.send(option.key, draft.version if draft else "", access_scope=access.scope_of(by), by=by.actor, now=now)


own_actions.register(
    OwnAction(
        name="follow_up",
        title=gettext_noop("Write to the vendor"),
        does=gettext_noop("Odoo sends one message in the vendor's language, with the link to confirm, change or refuse"),
        types=[drafts.UNCONFIRMED, drafts.LATE],
        options=_options,
        do=_send,
        may=may_work_exceptions,
    )
)
