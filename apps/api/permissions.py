"""What a token's scope allows. What its person may do is checked by the moves themselves."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.accounts.models import ApiToken, Scope

if TYPE_CHECKING:
    # Views import their permissions: at run time this would go round in a circle.
    from rest_framework.views import APIView

RANK = {Scope.READ: 0, Scope.WRITE: 1, Scope.ADMIN: 2}


class ScopeAllows(BasePermission):
    """Reading needs read, all else write, and what a view marks with ``scope = "admin"`` needs admin."""

    message = "This token's scope does not allow that. Make one with a wider scope."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if not isinstance(request.auth, ApiToken):
            return False
        needed = Scope.READ if request.method in SAFE_METHODS else Scope(getattr(view, "scope", Scope.WRITE))
        return RANK[Scope(request.auth.scope)] >= RANK[needed]
