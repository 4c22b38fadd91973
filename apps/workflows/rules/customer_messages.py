"""What customers are told without a person, where one has switched it on for the customer (apps/customers/rules.py)."""

from django.utils.translation import gettext_noop

from apps.workflows import parameters

LATER_DAYS = parameters.Parameter(
    name="customer_later_days",
    title=gettext_noop("New dates sent to customers automatically up to"),
    type=parameters.TIME,
    unit=parameters.DAYS,
    default=5,
    bounds=(1, 60),
    help=gettext_noop("A message with an order that is later by more days is sent by a person, also to a customer with a rule."),
)
A_DAY = parameters.Parameter(
    name="customer_messages_a_day",
    title=gettext_noop("Messages to one customer sent automatically a day"),
    type=parameters.NUMBER,
    unit=gettext_noop("messages to one customer"),
    default=1,
    bounds=(1, 20),
    help=gettext_noop("What changes beyond that within 24 hours is sent by a person."),
)
PARAMETERS = (LATER_DAYS, A_DAY)
