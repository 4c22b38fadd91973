"""Who has not confirmed or is late, a draft a vendor with all its orders. Nothing is kept until it is sent."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Q, QuerySet
from django.utils import formats, translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from apps.accounts import languages
from apps.accounts.access import EVERYTHING, AccessScope
from apps.exceptions.models import ExceptionCase
from apps.exceptions.queries import UNRESOLVED
from apps.mirror.models.purchase_order import PurchaseOrder
from apps.mirror.models.res_company import Company
from apps.mirror.models.res_partner import Partner
from apps.vendors import letters
from apps.vendors.letters import Words
from apps.vendors.mail import keys
from apps.vendors.models import FollowUp, FollowUpEdit, Kind, Proposal, Status
from apps.vendors.orders import open_lines

UNCONFIRMED, LATE = "purchase.unacknowledged", "purchase.supplier_delay"
ORDER = "purchase.order"
# What the vendor has said and is not over: it owes no answer.
ANSWERED = (Status.OPEN, Status.ACCEPTED, Status.APPLIED)
MOST_CASES = 5_000
# Where the link will stand: it is made when the message is sent.
NO_LINK = "…"
LINK = "{link}"


@dataclass(frozen=True, kw_only=True)
class Owed:
    """One order that a vendor owes an answer or goods for.

    Attributes:
        expected_on: the first day on which something open was to come, as the vendor's page shows it.
    """

    order: PurchaseOrder
    since: datetime
    is_late: bool
    expected_on: date | None


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What would be sent to one vendor.

    Attributes:
        partner_ids: to whom Odoo sends it: the addresses on the orders.
        last: the follow-up that was sent last.
        edit: a person's own words; those for a draft that said something else are ``outdated`` and not sent.
        words: of the letter, by language.
    """

    connection_id: int
    connection: str
    company_id: int
    company: str
    vendor: Partner
    owed: Sequence[Owed]
    last: FollowUp | None
    edit: FollowUpEdit | None
    outdated: FollowUpEdit | None
    words: Mapping[str, Words]

    @property
    def key(self) -> str:
        """Tells it from the other drafts."""
        return keys.key_of(self.connection_id, self.company_id, self.vendor.odoo_id)

    @property
    def version(self) -> str:
        """Changes with what it says and to whom: nothing is sent unseen."""
        return _version(self.owed)

    @property
    def language(self) -> str:
        """The vendor's, where the tower speaks it; else the tower's first."""
        return letters.spoken(languages.of_odoo(self.vendor.lang))

    @property
    def since(self) -> datetime:
        """Since when the vendor owes the oldest of it."""
        return min(one.since for one in self.owed)

    @property
    def partner_ids(self) -> list[int]:
        """The addresses on the orders, each once."""
        return sorted({one.order.partner_id for one in self.owed if one.order.partner_id})

    def text(self) -> tuple[str, str]:
        """Return subject and body as text, with ``{link}`` where the link will stand."""
        if self.edit is not None:
            return self.edit.subject, self.edit.body
        return letters.filled_text(self.words[self.language], self._values(LINK))

    def filled(self, link: str = NO_LINK) -> tuple[str, SafeString]:
        """Return the subject, and the body as HTML, as they are sent."""
        if self.edit is not None:
            return self.edit.subject, letters.html_of(self.edit.body, link=link)
        return letters.filled(self.words[self.language], self._values(link))

    @property
    def preview(self) -> tuple[str, SafeString]:
        """Subject and body, without the link."""
        return self.filled()

    def _values(self, link: str) -> Mapping[str, str]:
        with translation.override(self.language):
            orders = "\n".join(_line(one) for one in self.owed)
        return {"vendor": self.vendor.name or "", "company": self.company, "orders": orders, "link": link}


def _version(owed: Sequence[Owed]) -> str:
    said = [f"{one.order.odoo_id}/{one.order.name}/{one.is_late}/{one.expected_on}/{one.order.partner_id}" for one in owed]
    return hashlib.sha256("|".join(said).encode()).hexdigest()[:16]


def _line(owed: Owed) -> str:
    day = formats.date_format(owed.expected_on, "Y-m-d") if owed.expected_on else gettext("no date")
    said = gettext("%(order)s: not confirmed yet, expected %(day)s")
    if owed.is_late:
        said = gettext("%(order)s: late, promised for %(day)s")
    return said % {"order": owed.order.name, "day": day}


def drafts(access_scope: AccessScope) -> list[Draft]:
    """Return a draft for each vendor that owes something, the one that owes it longest first."""
    cases = ExceptionCase.objects.filter(UNRESOLVED, access_scope.of_records(), model=ORDER, type__in=[UNCONFIRMED, LATE])
    rows = _owing(cases)
    found = [draft for connection_id in sorted({case.connection_id for case in rows}) for draft in _of(connection_id, rows)]
    return sorted(found, key=lambda draft: (draft.since, draft.key))


def one(key: str, access_scope: AccessScope) -> Draft | None:
    """Return the draft of that key; None where the vendor owes nothing, or it is out of sight."""
    if (named := keys.read(key)) is None:
        return None
    return next((draft for draft in _to_vendor(*named, access_scope) if draft.key == key), None)


def draft_of(case: ExceptionCase) -> Draft | None:
    """Return the draft to the vendor of an exception's order; None where the order is not part of one, or was answered."""
    here = {"connection_id": case.connection_id}
    order = PurchaseOrder.objects.filter(**here, odoo_id=case.odoo_id, deleted_at=None).first()
    partner = Partner.objects.filter(**here, odoo_id=order.partner_id).first() if order else None
    if order is None or partner is None:
        return None
    found = _to_vendor(case.connection_id, order.company_id or 0, partner.commercial_partner_id or partner.odoo_id, EVERYTHING)
    return next((one for one in found if any(owed.order.odoo_id == case.odoo_id for owed in one.owed)), None)


def _to_vendor(connection_id: int, company_id: int, vendor_id: int, access_scope: AccessScope) -> list[Draft]:
    here = {"connection_id": connection_id}
    addresses = Partner.objects.filter(Q(commercial_partner_id=vendor_id) | Q(odoo_id=vendor_id), **here).values("odoo_id")
    theirs = PurchaseOrder.objects.filter(
        **here, partner_id__in=addresses, company_id=company_id, state__in=open_lines.ORDERED, deleted_at=None
    )
    cases = ExceptionCase.objects.filter(UNRESOLVED, access_scope.of_records(), **here, model=ORDER, type__in=[UNCONFIRMED, LATE])
    return _of(connection_id, _owing(cases.filter(odoo_id__in=theirs.values("odoo_id"))))


def _owing(cases: QuerySet[ExceptionCase]) -> list[ExceptionCase]:
    """Return the exceptions in which a vendor owes something: a delay of which only customers know is none of the vendor's."""
    rows = cases.select_related("connection").order_by("opened_at", "id")[:MOST_CASES]
    return [case for case in rows if case.type == UNCONFIRMED or (case.evidence.get("late_lines_count") or 0) not in (0, "0")]


def _of(connection_id: int, rows: Sequence[ExceptionCase]) -> list[Draft]:
    cases = [case for case in rows if case.connection_id == connection_id]
    if not cases:
        return []
    ids = {case.odoo_id for case in cases}
    orders = {
        one.odoo_id: one
        for one in PurchaseOrder.objects.filter(
            connection_id=connection_id, odoo_id__in=ids, state__in=open_lines.ORDERED, deleted_at=None
        )
    }
    # Not the order's own date: lines that were received, or moved after it, are in it as well.
    expected_on = {
        order_id: min((line.planned_day for line in lines if line.planned_day), default=None)
        for order_id, lines in open_lines.lines_of(connection_id, list(orders)).items()
    }
    answered = _answered(connection_id, list(ids))
    partners = {
        one.odoo_id: one
        for one in Partner.objects.filter(connection_id=connection_id, odoo_id__in={one.partner_id for one in orders.values()})
    }
    commercial = {one.commercial_partner_id or one.odoo_id for one in partners.values()}
    vendors = {one.odoo_id: one for one in Partner.objects.filter(connection_id=connection_id, odoo_id__in=commercial)}
    companies = dict(Company.objects.filter(connection_id=connection_id).values_list("odoo_id", "name"))
    owed: dict[tuple[int, int], dict[int, Owed]] = {}
    for case in cases:
        order = orders.get(case.odoo_id)
        partner = partners.get(order.partner_id) if order else None
        if order is None or partner is None or order.company_id is None:
            continue
        if (said_at := answered.get(order.odoo_id)) and said_at >= case.opened_at:
            continue
        vendor_id = partner.commercial_partner_id or partner.odoo_id
        of_vendor = owed.setdefault((order.company_id, vendor_id), {})
        before = of_vendor.get(order.odoo_id)
        of_vendor[order.odoo_id] = Owed(
            order=order,
            since=min(case.opened_at, before.since) if before else case.opened_at,
            is_late=case.type == LATE or bool(before and before.is_late),
            expected_on=expected_on.get(order.odoo_id),
        )
    last, edits, words = _last(connection_id), _edits(connection_id), letters.words_of(Kind.FOLLOW_UP)
    found = []
    for (company_id, vendor_id), of_vendor in owed.items():
        if vendor_id not in vendors:
            continue
        oldest_first = sorted(of_vendor.values(), key=lambda one: (one.since, one.order.odoo_id))
        edit = edits.get((company_id, vendor_id))
        is_current = edit is not None and edit.version == _version(oldest_first)
        if is_current and edit is not None and edit.is_dismissed:
            continue
        found.append(
            Draft(
                connection_id=connection_id,
                connection=cases[0].connection.name,
                company_id=company_id,
                company=companies.get(company_id) or "",
                vendor=vendors[vendor_id],
                owed=oldest_first,
                last=last.get((company_id, vendor_id)),
                edit=edit if is_current else None,
                outdated=edit if edit is not None and not is_current and not edit.is_dismissed else None,
                words=words,
            )
        )
    return found


def _edits(connection_id: int) -> Mapping[tuple[int, int], FollowUpEdit]:
    return {(one.company_id, one.partner_id): one for one in FollowUpEdit.objects.filter(connection_id=connection_id)}


def _answered(connection_id: int, ids: Sequence[int]) -> Mapping[int, datetime]:
    """When the vendor last said something of each order that counts."""
    found = Proposal.objects.filter(connection_id=connection_id, order_id__in=ids, status__in=ANSWERED)
    return dict(found.order_by("order_id", "-said_at").distinct("order_id").values_list("order_id", "said_at"))


def _last(connection_id: int) -> Mapping[tuple[int, int], FollowUp]:
    found = FollowUp.objects.filter(connection_id=connection_id).order_by("company_id", "partner_id", "-sent_at")
    return {(one.company_id, one.partner_id): one for one in found.distinct("company_id", "partner_id")}
