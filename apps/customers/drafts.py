"""What is to be told to whom: a draft a customer with all its orders that have a new date. Worked out anew at every look."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet
from django.utils import formats, translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from apps.accounts import languages
from apps.accounts.access import AccessScope
from apps.accounts.models import User
from apps.customers import queries
from apps.customers.models import CustomerRule, DraftEdit, NewDate
from apps.customers.orders import SalesOrder, orders_of
from apps.mirror.models.res_company import Company
from apps.mirror.models.res_partner import Partner
from apps.mirror.models.res_users import OdooUser
from apps.mirror.models.sale_order import SaleOrder
from apps.odoo.models import Connection, LinkedUser
from apps.vendors import letters
from apps.vendors.letters import Words
from apps.vendors.mail import keys
from apps.vendors.models import Kind

MOST_DATES = 5_000


@dataclass(frozen=True, kw_only=True)
class Told:
    """One order of a draft: its new date, and the order as it is now."""

    new_date: NewDate
    order: SalesOrder

    @property
    def day(self) -> date:
        """The new day, as the order's company counts days."""
        found = self.order.day_of(self.new_date.expected_at)
        assert found is not None
        return found

    @property
    def known_day(self) -> date | None:
        """The day that the customer knows."""
        return self.order.day_of(self.new_date.known_at)

    @property
    def days_later(self) -> int | None:
        """By how many days it comes later, earlier below zero; None where the customer knows no day."""
        return (self.day - self.known_day).days if self.known_day else None

    @property
    def line(self) -> str:
        """What the customer reads of it, in the active language."""
        name = self.order.name
        if self.order.reference:
            name = gettext("%(order)s (your reference %(reference)s)") % {"order": name, "reference": self.order.reference}
        day = formats.date_format(self.day, "DATE_FORMAT")
        before = formats.date_format(self.known_day, "DATE_FORMAT") if self.known_day else ""
        said = gettext("%(order)s: delivery on %(day)s")
        if self.new_date.parts and before:
            said = gettext("%(order)s, in part (%(products)s): delivery on %(day)s instead of %(before)s")
        elif self.new_date.parts:
            said = gettext("%(order)s, in part (%(products)s): delivery on %(day)s")
        elif before:
            said = gettext("%(order)s: delivery on %(day)s instead of %(before)s")
        return said % {"order": name, "day": day, "before": before, "products": self.new_date.parts}


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What would be sent to one customer.

    Attributes:
        recipients: to whom Odoo sends it: the contacts on the orders, and the customer where none of them can be reached.
        owners: the salespeople of the orders, by their names in Odoo; ``owner_ids`` those who have an account here.
        edit: a person's own words; those for a draft that said something else are ``outdated`` and not sent.
        words: of the letter, by language.
    """

    connection: Connection
    company_id: int
    company: str
    customer: Partner
    told: Sequence[Told]
    recipients: Sequence[Partner]
    owners: Sequence[str]
    owner_ids: frozenset[int]
    rule: CustomerRule | None
    edit: DraftEdit | None
    outdated: DraftEdit | None
    words: Mapping[str, Words]

    @property
    def key(self) -> str:
        """Tells it from the other drafts."""
        return keys.key_of(self.connection.pk, self.company_id, self.customer.odoo_id)

    @property
    def version(self) -> str:
        """Changes with what it says and to whom: nothing is sent unseen."""
        return _version(self.told, self.recipients)

    @property
    def language(self) -> str:
        """The recipients', where they share one, else the customer's; the tower's first where it speaks neither."""
        spoken = {one.lang for one in self.recipients if one.lang}
        of_all = spoken.pop() if len(spoken) == 1 else self.customer.lang
        return letters.spoken(languages.of_odoo(of_all))

    @property
    def without_email(self) -> list[str]:
        """The recipients to whom Odoo can send no e-mail: the message stands in the chatter alone."""
        return [one.name or "" for one in self.recipients if not one.email]

    @property
    def has_email(self) -> bool:
        """Whether anybody gets an e-mail."""
        return len(self.without_email) < len(self.recipients)

    @property
    def changed_at(self) -> datetime:
        """When what it says changed last."""
        return max(one.new_date.changed_at for one in self.told)

    @property
    def most_days_later(self) -> int | None:
        """By how many days the order that moves most comes later; None where a customer knows no day of one."""
        found = [one.days_later for one in self.told]
        return None if None in found else max(days for days in found if days is not None)

    def passed(self, now: datetime) -> list[str]:
        """Return the names of the orders whose new day is over: nobody is to be told that as news."""
        return [one.order.name for one in self.told if (today := one.order.day_of(now)) and one.day < today]

    def text(self) -> tuple[str, str]:
        """Return subject and body as they would be sent, as text."""
        if self.edit is not None:
            return self.edit.subject, self.edit.body
        return letters.filled_text(*self._words())

    @property
    def preview(self) -> tuple[str, SafeString]:
        """Subject, and the body as HTML."""
        if self.edit is not None:
            return self.edit.subject, letters.html_of(self.edit.body)
        return letters.filled(*self._words())

    def _words(self) -> tuple[letters.Words, Mapping[str, str]]:
        words = self.words[self.language]
        with translation.override(words.language):
            orders = "\n".join(one.line for one in self.told)
        return words, {"customer": self.customer.name or "", "company": self.company, "orders": orders}


def _version(told: Iterable[Told], recipients: Iterable[Partner]) -> str:
    said = [f"{one.new_date.pk}/{one.order.name}/{one.day}/{one.known_day}/{one.new_date.parts}" for one in told]
    return hashlib.sha256("|".join([*said, *(str(one.odoo_id) for one in recipients)]).encode()).hexdigest()[:16]


def drafts(access_scope: AccessScope, *, by: User | None = None) -> list[Draft]:
    """Return a draft for each customer in sight that is to be told something; those of ``by`` first, then the oldest.

    Of more than :data:`MOST_DATES` new dates the oldest are drafted.
    """
    return _drafted(queries.to_tell(access_scope), by)


def one(key: str, access_scope: AccessScope) -> Draft | None:
    """Return the draft of that key; None where there is nothing to tell, or it is out of sight."""
    if (named := keys.read(key)) is None:
        return None
    connection_id, company_id, customer_id = named
    contacts = Partner.objects.filter(Q(commercial_partner_id=customer_id) | Q(odoo_id=customer_id), connection_id=connection_id)
    orders = SaleOrder.objects.filter(connection_id=connection_id, partner_id__in=contacts.values("odoo_id"))
    dates = queries.to_tell(access_scope).filter(
        connection_id=connection_id, company_id=company_id, order_id__in=orders.values("odoo_id")
    )
    return next((draft for draft in _drafted(dates, None) if draft.key == key), None)


def _drafted(rows: QuerySet[NewDate], by: User | None) -> list[Draft]:
    dates = list(rows.order_by("changed_at", "id")[:MOST_DATES])
    by_connection: dict[int, list[NewDate]] = {}
    for date_ in dates:
        by_connection.setdefault(date_.connection_id, []).append(date_)
    found = [draft for of_it in by_connection.values() for draft in _of(of_it)]
    mine = by.pk if by else None
    return sorted(found, key=lambda draft: (mine not in draft.owner_ids, draft.changed_at, draft.key))


def _of(dates: Sequence[NewDate]) -> list[Draft]:
    """The drafts of one connection."""
    connection = dates[0].connection
    orders = orders_of(connection.pk, {one.order_id for one in dates})
    partners = _partners(connection.pk, {order.partner_id for order in orders.values() if order.partner_id})
    customers = _partners(connection.pk, {one.commercial_partner_id or one.odoo_id for one in partners.values()})
    together: dict[tuple[int, int], list[Told]] = {}
    for one in dates:
        order = orders.get(one.order_id)
        partner = partners.get(order.partner_id or 0) if order else None
        if order is None or partner is None:
            continue
        customer_id = partner.commercial_partner_id or partner.odoo_id
        if customer_id in customers:
            together.setdefault((one.company_id, customer_id), []).append(Told(new_date=one, order=order))
    if not together:
        return []
    companies = dict(Company.objects.filter(connection=connection).values_list("odoo_id", "name"))
    uids = {order.user_id for order in orders.values() if order.user_id}
    names = dict(OdooUser.objects.filter(connection=connection, odoo_id__in=uids).values_list("odoo_id", "name"))
    linked = dict(LinkedUser.objects.filter(connection=connection, uid__in=uids).values_list("uid", "user_id"))
    ids = {customer_id for _, customer_id in together}
    edits = {(one.company_id, one.partner_id): one for one in DraftEdit.objects.filter(connection=connection, partner_id__in=ids)}
    rules = {
        (one.company_id, one.partner_id): one for one in CustomerRule.objects.filter(connection=connection, partner_id__in=ids)
    }
    words, found = letters.words_of(Kind.PROMISE), []
    for (company_id, customer_id), told in together.items():
        told.sort(key=lambda one: (one.day, one.order.order_id))
        recipients = _recipients(told, partners, customers[customer_id])
        edit = edits.get((company_id, customer_id))
        is_current = edit is not None and edit.version == _version(told, recipients)
        owners = {one.order.user_id for one in told if one.order.user_id}
        found.append(
            Draft(
                connection=connection,
                company_id=company_id,
                company=companies.get(company_id) or "",
                customer=customers[customer_id],
                told=told,
                recipients=recipients,
                owners=sorted({names[uid] for uid in owners if names.get(uid)}),
                owner_ids=frozenset(linked[uid] for uid in owners if uid in linked),
                rule=rules.get((company_id, customer_id)),
                edit=edit if is_current else None,
                outdated=None if is_current else edit,
                words=words,
            )
        )
    return found


def _partners(connection_id: int, ids: Collection[int]) -> dict[int, Partner]:
    found = Partner.objects.filter(connection_id=connection_id, odoo_id__in=ids, deleted_at=None)
    return {one.odoo_id: one for one in found}


def _recipients(told: Sequence[Told], partners: Mapping[int, Partner], customer: Partner) -> list[Partner]:
    """The contacts on the orders, each once; with the customer where they have no address, and it alone where none is active."""
    ids = sorted({one.order.partner_id for one in told if one.order.partner_id})
    active = [partners[partner_id] for partner_id in ids if partner_id in partners and partners[partner_id].active]
    is_reached = any(one.email for one in active) or customer.odoo_id in ids or not customer.email
    return active if active and is_reached else [*active, customer]
