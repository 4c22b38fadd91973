"""What needs a person now, by their role: one page that answers "what first?"."""

from dataclasses import dataclass
from datetime import datetime

from apps.accounts.models import Role, User
from apps.accounts.permissions import DECIDERS, EXCEPTION_WORKERS
from apps.accounts.sight import Sight
from apps.approvals import screens as approvals
from apps.boards import queries
from apps.exceptions import queries as cases
from apps.exceptions import screens as exceptions
from apps.exceptions.standing import why_first
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
    shows_decisions: bool
    shows_cases: bool
    topic: str


def home_of(user: User, *, seen: Sight, now: datetime) -> Home:
    """What needs this person now. Deciders see decisions first, operators exceptions, managers boards, others links."""
    shows_decisions, shows_cases = user.role in DECIDERS, user.role in EXCEPTION_WORKERS
    cards = approvals.inbox(user, seen) if shows_decisions else []
    counts = exceptions.counts(user=user, seen=seen, now=now)
    mine = cases.mine(user, seen) if counts["mine"] else cases.unowned(seen)
    rows = [
        exceptions.Row(case=case, type=title_of(case.type), stage="")
        for case in mine.select_related("owner", "team", "connection").order_by("rank", "id")[:FIRST]
    ] if shows_cases else []  # fmt: skip
    late = sum(1 for card in cards if card.request.due_at <= now)
    tiles = []
    if shows_decisions:
        foot = f"{late} late" if late else "all within their time"
        tiles.append(Tile(word="Decisions for you", number=len(cards), href="/approvals/", icon="stamp", foot=foot))
    if shows_cases:
        tiles.append(Tile(word="Your exceptions", number=counts["mine"], href="/exceptions/?owner=me", icon="user-check",
                          foot=f"{counts['team']} in your teams"))  # fmt: skip
    tiles += [
        Tile(word="Unowned exceptions", number=counts["unowned"], href="/exceptions/?owner=none", icon="user-plus",
             foot=f"of {counts['all']} open"),
        Tile(word="Due within 1 h", number=counts["due"], href="/exceptions/?due=1h", icon="timer", foot="late ones included"),
    ]  # fmt: skip
    if user.role in (Role.INTEGRATOR, Role.ADMIN):
        stuck = Command.objects.filter(seen.of_records(), status__in=["refused", "dead"]).count()
        tiles.append(Tile(word="Commands stopped", number=stuck, href="/health/", icon="octagon-alert", foot="a person must look"))
    boards = [queries.board(workflow, now=now, seen=seen) for workflow in registry.workflows().values()]
    waiting = len(cards)
    if waiting:
        sentence = f"{waiting} decision{'s' if waiting != 1 else ''} wait{'s' if waiting == 1 else ''} for you" + (
            f", {late} of them late." if late else "."
        )
    elif shows_cases and counts["mine"]:
        sentence = f"{counts['mine']} exception{'s are' if counts['mine'] != 1 else ' is'} yours."
    else:
        sentence = "Nothing waits for you."
    return Home(
        sentence=sentence, tiles=tiles, cards=cards[:FIRST], rows=rows, boards=boards,
        why=why_first(rows[0].case, now=now) if rows else "",
        connections=list(Connection.objects.filter(seen.of_connections()).order_by("name")),
        shows_decisions=shows_decisions, shows_cases=shows_cases, topic="inbox" if shows_decisions else "queue",
    )  # fmt: skip
