"""Making people and the tokens that act for them."""

import secrets
from datetime import datetime
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from apps.accounts.models import ApiToken, Role, Scope, Team, User

# Which teams a person belongs to unless said otherwise: who works on the business sees all of it.
BUSINESS_TEAMS = ["sales", "finance", "warehouse", "purchasing", "service"]
TEAMS_OF_ROLE: dict[str, list[str]] = {
    Role.OPERATOR: BUSINESS_TEAMS,
    Role.APPROVER: BUSINESS_TEAMS,
    Role.MANAGER: BUSINESS_TEAMS,
    Role.INTEGRATOR: ["integration"],
    Role.ADMIN: ["integration"],
    Role.AUDITOR: [],
}
TITLES = {
    "sales": gettext_noop("Sales"), "finance": gettext_noop("Finance"), "warehouse": gettext_noop("Warehouse"),
    "purchasing": gettext_noop("Purchasing"), "service": gettext_noop("Service"), "integration": gettext_noop("Integration"),
}  # fmt: skip
PREFIX = "ct_"
LARGEST_LIMIT = Decimal(10) ** 16


class PersonError(Exception):
    """This person or token cannot be made; the message says why and what to do."""


@transaction.atomic
def create_user(
    username: str, *, role: str, limit: Decimal | None = None, odoo_login: str = "", email: str = "",
    teams: list[str] | None = None, password: str = "",
) -> tuple[User, str]:  # fmt: skip
    """Make a person; with the password, which is nowhere else to be read.

    Raises:
        PersonError: the name is taken, the role does not exist, or an approver would have no limit.
    """
    if role not in Role.values:
        raise PersonError(f"There is no role {role}; there is: {', '.join(Role.values)}.")
    try:
        User._meta.get_field("username").run_validators(username)
        User._meta.get_field("email").run_validators(email)
    except ValidationError as error:
        raise PersonError(f"Nobody can be called {username!r} with the address {email!r}: {' '.join(error.messages)}") from None
    if not username:
        raise PersonError("A person needs a user name.")
    if User.objects.filter(username=username).exists():
        raise PersonError(f"There is a user {username} already. Choose another name.")
    if role == Role.APPROVER and limit is None:
        raise PersonError(f"An approver needs a limit: the largest amount {username} may approve. Give --limit.")
    if limit is not None and (not limit.is_finite() or not 0 <= limit < LARGEST_LIMIT):
        raise PersonError(f"A limit is an amount from 0 to below {LARGEST_LIMIT:,}, not {limit}.")
    password = password or secrets.token_urlsafe(12)
    try:
        with transaction.atomic():
            user = User.objects.create_user(
                username, email=email, password=password, role=role, approval_limit=limit, odoo_login=odoo_login
            )
    except IntegrityError:  # somebody else took the name since it was looked for
        raise PersonError(f"There is a user {username} already. Choose another name.") from None
    for slug in teams if teams is not None else TEAMS_OF_ROLE[role]:
        team(slug).members.add(user)
    return user, password


def team(slug: str) -> Team:
    """The team of that slug; made, if it is one of those that every tower has. Raises PersonError."""
    found = Team.objects.filter(slug=slug).first()
    if found is None and slug not in TITLES:
        known = ", ".join(sorted({*TITLES, *Team.objects.values_list("slug", flat=True)}))
        raise PersonError(f"There is no team {slug}; there is: {known}.")
    return found or Team.objects.get_or_create(slug=slug, defaults={"name": TITLES[slug]})[0]


@transaction.atomic
def create_token(
    user: User, *, scope: str, name: str = "", expires_at: datetime | None = None, now: datetime
) -> str:
    """Make a token for the API; it is stored as a digest alone, so this is the only time it is seen.

    Raises PersonError for a scope that does not exist.
    """
    if scope not in Scope.values:
        raise PersonError(f"There is no scope {scope}; there is: {', '.join(Scope.values)}.")
    token = PREFIX + secrets.token_urlsafe(32)
    ApiToken.objects.create(
        user=user, name=name, scope=scope, digest=ApiToken.digest_of(token), hint=token[:10], created_at=now,
        expires_at=expires_at,
    )  # fmt: skip
    return token
