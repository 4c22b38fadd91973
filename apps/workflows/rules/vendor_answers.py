"""What of a vendor's answer needs nobody, where a person has switched it on for the vendor (apps/vendors/proposals/rules.py)."""

from django.utils.translation import gettext_noop

from apps.workflows import parameters

LATER_DAYS = parameters.Parameter(
    name="vendor_later_days",
    title=gettext_noop("Later dates of vendors accepted automatically"),
    type=parameters.TIME,
    unit=parameters.DAYS,
    default=3,
    bounds=(1, 60),
    help=gettext_noop("A date that is later by more days is decided by a person, also of a vendor whose later dates are accepted."),
)
A_DAY = parameters.Parameter(
    name="vendor_accepted_a_day",
    title=gettext_noop("Proposals accepted automatically a day"),
    type=parameters.NUMBER,
    unit=gettext_noop("proposals of one vendor"),
    default=20,
    bounds=(1, 1000),
    help=gettext_noop("What a vendor proposes beyond that within 24 hours is decided by a person."),
)
FOLLOW_UP_DAYS = parameters.Parameter(
    name="vendor_follow_up_days",
    title=gettext_noop("Follow-ups to vendors sent automatically after"),
    type=parameters.NUMBER,
    unit=gettext_noop("working days; 0 is never"),
    default=0,
    bounds=(0, 60),
    help=gettext_noop("Who owes an answer or goods for so long is written to in working hours, three times at most."),
)
PARAMETERS = (LATER_DAYS, A_DAY, FOLLOW_UP_DAYS)
