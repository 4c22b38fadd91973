"""Parameters: the numbers of a rule that a company may want otherwise, declared where the rule is.

What a rule compares with is read, not written into it: in SQL as a column of the fact ``parameters``, which every workflow has
first, and in Odoo's guards by a call. Values are kept per connection and company (:mod:`apps.workflows.parameter_values`); what is
declared counts where none is set. Stage targets, SLA times and severity thresholds are parameters by themselves
(:mod:`apps.workflows.parameter_catalogue`).
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.db.models import F
from django.utils.translation import gettext, gettext_noop

from apps.core.refusals import Problem, Refusal

AMOUNT, PERCENT, TIME, NUMBER = "amount", "percent", "time", "number"
TYPES = (AMOUNT, PERCENT, TIME, NUMBER)
CURRENCY = gettext_noop("the company's currency")
PER_CENT, DAYS, HOURS, WORKING_HOURS = "%", gettext_noop("days"), gettext_noop("hours"), gettext_noop("working hours")
LARGEST_AMOUNT, DECIMALS = 1_000_000_000_000, 3
# The fact, and the column with all that is set for the record's connection and company.
FACT, VALUES = "parameters", "parameter_values"
SECONDS = {DAYS: 86_400, HOURS: 3_600, WORKING_HOURS: 3_600}
# How a guard reads one, and the words of it that tell which.
CALL = "parameter_of(env, "


class ParameterRefusedError(Refusal):
    """That cannot be the value of a parameter; the message says why, and what can."""

    problem = Problem(
        "parameter_invalid",
        422,
        "Invalid parameter",
        meaning="There is no such parameter, or the value is not one that it can have.",
        remedy="Send a number within the bounds that parameters/ lists.",
    )


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A number of a rule that can be set, for everybody, a connection or one company of it.

    Attributes:
        name: tells it from all others; a column of that name can be named by conditions, facts and texts.
        title: what people call it.
        type: one of :data:`TYPES`.
        unit: in which it counts: :data:`CURRENCY`, :data:`PER_CENT`, :data:`DAYS`, :data:`HOURS`, :data:`WORKING_HOURS`, or what
            is counted.
        default: what counts where nothing is set.
        bounds: the least and the greatest value.
        help: what follows from it, in one sentence.
    """

    name: str
    title: str
    type: str
    unit: str
    default: float
    bounds: tuple[float, float]
    help: str

    @property
    def column(self) -> F:
        """What conditions compare with: ``Q(bought_value__gte=LIMIT.column)``."""
        return F(self.name)

    @property
    def sql(self) -> str:
        """What facts compare with."""
        return f"{FACT}.{self.name}"

    def in_odoo(self, company: str) -> str:
        """What a guard's code compares with; ``company`` is its expression for the record's company."""
        return f"{CALL}'{self.name}', {company}, {float(self.default)})"

    def checked(self, value: object) -> Decimal:
        """Return ``value`` as the number that it is. Raises ParameterRefusedError where it cannot be one of this parameter."""
        title = gettext(self.title)
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite() or isinstance(value, bool):
            raise ParameterRefusedError(gettext("%(title)s: %(value)s is no number.") % {"title": title, "value": str(value)[:60]})
        least, most = (Decimal(str(bound)) for bound in self.bounds)
        if not least <= number <= most:
            raise ParameterRefusedError(
                gettext("%(title)s must lie between %(least)s and %(most)s %(unit)s.")
                % {"title": title, "least": plain(least), "most": plain(most), "unit": gettext(self.unit)}
            )
        if number != round(number, DECIMALS):
            raise ParameterRefusedError(
                gettext("%(title)s has at most %(decimals)s decimals.") % {"title": title, "decimals": DECIMALS}
            )
        return number


def plain(number: Decimal | float) -> str:
    """Return a number without the zeros that say nothing: "10000", "2.5"."""
    text = f"{Decimal(str(number)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def value_for_sql(parameter: Parameter, company: str) -> str:
    """SQL of the value that counts for a company of ``%(connection)s``, where no fact reads it.

    Args:
        company: SQL expression with the company's id.
    """
    return f"""COALESCE((
      SELECT v.number
        FROM workflows_parametervalue v
       WHERE v.name = '{parameter.name}' AND v.is_current AND v.number IS NOT NULL
         AND (v.connection_id IS NULL OR v.connection_id = %(connection)s) AND (v.company_id IS NULL OR v.company_id = {company})
       ORDER BY v.connection_id NULLS LAST, v.company_id NULLS LAST
       LIMIT 1), {plain(parameter.default)})"""


def value_sql(name: str, default: float, settings: str = f"{FACT}.{VALUES}") -> str:
    """SQL of the value of a parameter that has no column of its own."""
    return f"COALESCE(({settings} ->> '{name}')::numeric, {plain(default)})"


def limit(*, name: str, title: str, default: float, help: str) -> Parameter:  # noqa: A002
    """A sum in the company's currency."""
    return Parameter(name=name, title=title, type=AMOUNT, unit=CURRENCY, default=default, bounds=(0, LARGEST_AMOUNT), help=help)


def percent(*, name: str, title: str, default: float, help: str) -> Parameter:  # noqa: A002
    """A share from none to all."""
    return Parameter(name=name, title=title, type=PERCENT, unit=PER_CENT, default=default, bounds=(0, 100), help=help)
