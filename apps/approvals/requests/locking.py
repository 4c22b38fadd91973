"""What every move on a request begins with: the locked row, and who acts."""

from django.utils.translation import gettext

from apps.approvals.errors import DecisionRefusedError
from apps.approvals.models import Request


def locked(request_id: int) -> Request:
    """The request, its row locked until the transaction ends. Raises DecisionRefusedError where there is none."""
    # Nothing joined: of a row that had to be waited for, PostgreSQL reads the row anew, but not what was joined to it.
    request = Request.objects.select_for_update().filter(id=request_id).first()
    if request is None:
        raise DecisionRefusedError(gettext("There is no approval request %(request_id)s.") % {"request_id": request_id})
    return request
