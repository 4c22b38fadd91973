"""What needs a person now, by their role: one page that answers "what first?"."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext, ngettext

from apps.accounts.access import AccessScope
from apps.accounts.models import Role, User
from apps.accounts.permissions import DECIDERS, EXCEPTION_WORKERS
from apps.approvals import queries as requests
from apps.approvals.inbox import screens as approvals
from apps.boards.boards import queries
from apps.boards.shell import onboarding
from apps.boards.shell.onboarding import Step
from apps.exceptions import queries as cases
from apps.exceptions.cases.rank_explanation import why_first
from apps.exceptions.queue import screens as exceptions
from apps.exceptions.types import title_of
from apps.odoo.models import Connection
from apps.outbox.models import Command
from apps.workflows import registry

FIRST = 6


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One number that leads somewhere."""

    word: str
    number: int
    href: str
    icon: str
    foot: str


@dataclass(frozen=True, kw_only=True)
class Home:
    """The home page of one person."""

    sentence: str
    tiles: list[Tile]
    cards: list[approvals.Card]
    rows: list[exceptions.Row]
    why: str
    boards: list[queries.Board]
    connections: list[Connection]
    onboarding: list[Step]
    shows_decisions: bool
    shows_cases: bool
    topics: str


def home_of(user: User, *, access_scope: AccessScope, now: datetime) -> Home:
    """What needs this person now. Deciders see decisions first, operators exceptions, managers boards, others links."""
    shows_decisions, shows_cases = user.role in DECIDERS, user.role in EXCEPTION_WORKERS
    waiting, late = requests.waiting_of(user, access_scope, now=now) if shows_decisions else (0, 0)
    cards = approvals.cards_of(requests.inbox_of(user, access_scope)[:FIRST], access_scope) if waiting else []
    counts = exceptions.counts(user=user, access_scope=access_scope, now=now)
    mine = cases.mine(user, access_scope) if counts["mine"] else cases.unowned(access_scope)
    rows = (
        [
            exceptions.Row(case=case, type=title_of(case.type), stage="")
            for case in mine.select_related("owner", "team", "connection").order_by("rank", "id")[:FIRST]
        ]
        if shows_cases
        else []
    )
    tiles = []
    if shows_decisions:
        foot = gettext("%(n)s overdue") % {"n": late} if late else gettext("none overdue")
        tiles.append(Tile(word=gettext("Approvals to decide"), number=waiting, href="/approvals/", icon="stamp", foot=foot))
    if shows_cases:
        tiles.append(
            Tile(
                word=gettext("Your exceptions"),
                number=counts["mine"],
                href="/exceptions/?owner=me",
                icon="user-check",
                foot=gettext("%(team)s in your teams") % {"team": counts["team"]},
            )
        )
    tiles += [
        Tile(
            word=gettext("Unowned exceptions"),
            number=counts["unowned"],
            href="/exceptions/?owner=none",
            icon="user-plus",
            foot=gettext("of %(all)s open") % {"all": counts["all"]},
        ),
        Tile(
            word=gettext("Due within 1 h"),
            number=counts["due"],
            href="/exceptions/?due=1h",
            icon="timer",
            foot=gettext("including late ones"),
        ),
    ]
    if user.role in (Role.INTEGRATOR, Role.ADMIN):
        stuck = Command.objects.filter(access_scope.of_records(), status__in=["refused", "dead"]).count()
        tiles.append(
            Tile(
                word=gettext("Failed commands: action needed"),
                number=stuck,
                href="/health/",
                icon="octagon-alert",
                foot=gettext("action needed"),
            )
        )
    boards = [queries.board(workflow, now=now, access_scope=access_scope) for workflow in registry.workflows().values()]
    if waiting:
        if late:
            told = ngettext("%(n)s approval to decide, %(late)s overdue", "%(n)s approvals to decide, %(late)s overdue", waiting)
        else:
            told = ngettext("%(n)s approval to decide", "%(n)s approvals to decide", waiting)
        sentence = told % {"n": waiting, "late": late}
    elif shows_cases and counts["mine"]:
        sentence = ngettext("%(n)s exception assigned to you", "%(n)s exceptions assigned to you", counts["mine"]) % {
            "n": counts["mine"]
        }
    else:
        sentence = gettext("You're all caught up")
    return Home(
        sentence=sentence,
        tiles=tiles,
        cards=cards,
        rows=rows,
        boards=boards,
        why=why_first(rows[0].case, now=now) if rows else "",
        connections=list(Connection.objects.filter(access_scope.of_connections()).order_by("name")),
        onboarding=onboarding.steps_for(user),
        shows_decisions=shows_decisions,
        shows_cases=shows_cases,
        topics="inbox queue" if shows_decisions else "queue",
    )
