"""Every page, on a phone and on a desktop, light and dark: nothing forbidden, nothing cut off, nothing inaccessible."""

from datetime import timedelta

import pytest

from apps.approvals.models import Request
from apps.customers.models import NewDate
from apps.exceptions.models import ExceptionCase
from apps.mirror.models.sale_order import SaleOrder
from tests.browser.conftest import DESKTOP, PHONE, Visit, barriers
from tests.world import World

PAGES = {
    "sign-in": ("", "/accounts/login/"),
    "home of an approver": ("adam", "/"),
    "home of an operator": ("olga", "/"),
    "home of an integrator": ("ivan", "/"),
    "inbox": ("adam", "/approvals/"),
    "empty inbox": ("ivan", "/approvals/"),
    "parameters": ("mia", "/parameters/"),
    "parameter": ("mia", "/parameters/purchase_limit/"),
    "policies": ("mia", "/approvals/policies/"),
    "policy": ("mia", "/approvals/policies/credit_override/"),
    "policy of somebody who may not change it": ("adam", "/approvals/policies/pricing_exception/"),
    "out of office": ("adam", "/approvals/away/"),
    "no connection": ("", "/offline/"),
    "decided": ("adam", "/approvals/history/"),
    "request": ("adam", "/approvals/{request}/"),
    "request that somebody else decides": ("olga", "/approvals/{request}/"),
    "queue": ("olga", "/exceptions/"),
    "empty queue": ("olga", "/exceptions/?status=resolved"),
    "exception": ("olga", "/exceptions/{case}/"),
    "proposals": ("olga", "/proposals/"),
    "vendors to be written to": ("olga", "/follow-ups/"),
    "vendor links": ("olga", "/vendor-links/"),
    "vendors accepted by a rule": ("mia", "/vendor-rules/"),
    "words of messages to vendors": ("mia", "/letters/follow_up/en/"),
    "messages to customers": ("olga", "/customer-messages/"),
    "message to a customer": ("mia", "/customer-messages/{draft}/"),
    "messages that were sent": ("olga", "/customer-messages/sent/"),
    "customers who are told by a rule": ("mia", "/customer-rules/"),
    "words of messages to customers": ("mia", "/letters/promise/en/"),
    "boards": ("mia", "/boards/"),
    "board": ("mia", "/boards/order_to_cash/"),
    "stage": ("mia", "/boards/order_to_cash/credit_review/"),
    "record": ("mia", "/records/main/sale.order/42/"),
    "flow": ("mia", "/boards/order_to_cash/flow/"),
    "comparison": ("mia", "/boards/order_to_cash/compare/?by=team"),
    "moves": ("mia", "/boards/order_to_cash/moves/"),
    "wall": ("mia", "/wall/"),
    "search": ("olga", "/search/?q=s0"),
    "partner": ("olga", "/partners/main/50/"),
    "customer": ("olga", "/customers/main/50/"),
    "vendor": ("olga", "/vendors/main/50/"),
    "notifications": ("adam", "/notifications/"),
    "what one is told": ("adam", "/notifications/choices/"),
    "closed link": ("adam", "/in/nonsense/"),
    "connections": ("ivan", "/connections/"),
    "connection": ("ivan", "/connections/main/"),
    "connect an Odoo": ("ivan", "/connections/add/"),
    "health": ("ivan", "/health/"),
    "figures": ("mia", "/figures/"),
    "targets of the figures": ("mia", "/figures/targets/"),
    "reports and alerts": ("mia", "/reports/"),
    "dead letters": ("ivan", "/health/deliveries/"),
    "alerts": ("ivan", "/health/alerts/"),
    "a new alert rule": ("ivan", "/health/alerts/new/"),
    "a new endpoint": ("ivan", "/health/alerts/endpoints/new/"),
    "outside events": ("olga", "/events/"),
    "not found": ("mia", "/boards/nonsense/"),
}


def places_of(world: World) -> dict[str, object]:
    """What the addresses of :data:`PAGES` name, of a world with one order that is held; its customer is to be told of a date."""
    order = SaleOrder.objects.get()
    NewDate.objects.create(
        connection=world.connection,
        company_id=order.company_id,
        order_id=order.odoo_id,
        order_name=order.name,
        known_at=world.now - timedelta(days=9),
        expected_at=world.now - timedelta(days=2),
        parts="Oak desk",
        decision="odoo",
        decided_by="Odoo",
        changed_at=world.now,
    )
    return {
        "request": Request.objects.get().id,
        "case": ExceptionCase.objects.get().id,
        "draft": f"{world.connection.pk}-{order.company_id}-{order.partner_id}",
    }


@pytest.mark.parametrize("group", range(4))
def test_every_page_is_accessible_and_whole_at_every_size_and_theme(visit: Visit, world: World, group: int) -> None:
    places = places_of(world)
    problems = []
    for number, (what, (name, path)) in enumerate(PAGES.items()):
        if number % 4 != group:
            continue
        for size in (PHONE, DESKTOP):
            page = visit(name, path.format(**places), size=size)
            where = f"{what} at {size['width']} px"
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                problems.append(f"{where}: wider than the screen")
            problems += [f"{where}: {found}" for found in barriers(page)]
            page.emulate_media(color_scheme="dark")
            problems += [f"{where}, dark: {found}" for found in barriers(page, of_colour_alone=True)]
            page.close()
    assert not problems, "\n".join(problems)
