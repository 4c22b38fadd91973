"""Making people and the tokens that act for them."""

import re
import secrets
from datetime import datetime
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from apps.accounts.logins import normalised
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
    "sales": gettext_noop("Sales"),
    "finance": gettext_noop("Finance"),
    "warehouse": gettext_noop("Warehouse"),
    "purchasing": gettext_noop("Purchasing"),
    "service": gettext_noop("Service"),
    "integration": gettext_noop("Integration"),
}
PREFIX = "ct_"
LARGEST_LIMIT = Decimal(10) ** 16
LONGEST_LOGIN = 200
CURRENCY = re.compile(r"[A-Z]{2,10}")


class PersonError(Exception):
    """This person or token cannot be made; the message says why and what to do."""


def parse_limit(text: str | None) -> Decimal | None:
    """Return the amount that an option ``--limit`` gives; None where it was left out. Raises PersonError for anything else."""
    try:
        return None if text is None else Decimal(text)
    except InvalidOperation:
        raise PersonError(f"--limit must be an amount such as 50000, not {text}.") from None


@transaction.atomic
def create_user(
    username: str,
    *,
    role: str,
    limit: Decimal | None = None,
    odoo_login: str = "",
    email: str = "",
    teams: list[str] | None = None,
    password: str = "",
    limit_currency: str = "",
) -> tuple[User, str]:
    """Make a person; with the password, which is nowhere else to be read.

    Raises:
        PersonError: the name or the Odoo login is taken, the role does not exist, or an approver would have no limit.
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
    _check_limit(limit, limit_currency)
    odoo_login = normalised(odoo_login)
    if len(odoo_login) > LONGEST_LOGIN:
        raise PersonError(f"An Odoo login has at most {LONGEST_LOGIN} characters.")
    if odoo_login and (holder := User.objects.filter(odoo_login=odoo_login).first()):
        raise PersonError(
            f"{holder.username} has the Odoo login {odoo_login} already, and two accounts cannot be one Odoo user. "
            "Choose another login, or take it from them first: link_odoo_user."
        )
    password = password or secrets.token_urlsafe(12)
    try:
        with transaction.atomic():
            user = User.objects.create_user(
                username,
                email=email,
                password=password,
                role=role,
                approval_limit=limit,
                odoo_login=odoo_login,
                limit_currency=limit_currency,
            )
    except IntegrityError:  # somebody else took the name, or the login, since it was looked for
        raise PersonError(
            f"There is a user {username} already, or one with its Odoo login. Choose another name or login."
        ) from None
    for slug in teams if teams is not None else TEAMS_OF_ROLE[role]:
        team(slug).members.add(user)
    return user, password


@transaction.atomic
def change_user(
    username: str,
    *,
    role: str | None = None,
    limit: Decimal | None = None,
    limit_currency: str = "",
    is_active: bool | None = None,
) -> User:
    """Change what a person may do; what waits for them and they may no longer decide is reassigned at once.

    Args:
        limit: the largest amount this person may approve; it stays as it is where none is given.
        limit_currency: its currency; it stays as it is where none is given.

    Raises:
        PersonError: there is no such person, role or currency, or an approver would have no limit.
    """
    user: User | None = User.objects.select_for_update().filter(username=username).first()
    if user is None:
        raise PersonError(f"There is no user {username}. Make one with create_user.")
    if role is not None and role not in Role.values:
        raise PersonError(f"There is no role {role}; there is: {', '.join(Role.values)}.")
    user.role = role or user.role
    user.approval_limit = user.approval_limit if limit is None else limit
    user.limit_currency = limit_currency or user.limit_currency
    user.is_active = user.is_active if is_active is None else is_active
    if user.role == Role.APPROVER and user.approval_limit is None:
        raise PersonError(f"An approver needs a limit: the largest amount {username} may approve. Give --limit.")
    _check_limit(user.approval_limit, limit_currency)
    user.save(update_fields=["role", "approval_limit", "limit_currency", "is_active"])
    return user


def _check_limit(limit: Decimal | None, currency: str) -> None:
    if limit is not None and (not limit.is_finite() or not 0 <= limit < LARGEST_LIMIT):
        raise PersonError(f"A limit is an amount from 0 to below {LARGEST_LIMIT:,}, not {limit}.")
    if currency and not CURRENCY.fullmatch(currency):
        raise PersonError(f"A currency is the code that Odoo knows it by, such as EUR, not {currency[:20]!r}.")


def team(slug: str) -> Team:
    """The team of that slug; made, if it is one of those that every tower has. Raises PersonError."""
    found = Team.objects.filter(slug=slug).first()
    if found is None and slug not in TITLES:
        known = ", ".join(sorted({*TITLES, *Team.objects.values_list("slug", flat=True)}))
        raise PersonError(f"There is no team {slug}; there is: {known}.")
    return found or Team.objects.get_or_create(slug=slug, defaults={"name": TITLES[slug]})[0]


@transaction.atomic
def create_token(user: User, *, scope: str, name: str = "", expires_at: datetime | None = None, now: datetime) -> str:
    """Make a token for the API; it is stored as a digest alone, so this is the only time it is seen.

    Raises PersonError for a scope that does not exist.
    """
    if scope not in Scope.values:
        raise PersonError(f"There is no scope {scope}; there is: {', '.join(Scope.values)}.")
    token = PREFIX + secrets.token_urlsafe(32)
    ApiToken.objects.create(
        user=user,
        name=name,
        scope=scope,
        digest=ApiToken.digest_of(token),
        hint=token[:10],
        created_at=now,
        expires_at=expires_at,
    )
    return token
