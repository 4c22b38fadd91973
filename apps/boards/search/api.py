"""Search over the API."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access
from apps.accounts.requests import PersonsCall
from apps.boards.search import finding


class HitShape(serializers.Serializer[Any]):
    """One thing that was found."""

    title = serializers.CharField()
    detail = serializers.CharField()
    matched = serializers.CharField(help_text="What matched, or its other name; empty where the title says it")
    connection = serializers.CharField()
    model = serializers.CharField()
    odoo_id = serializers.IntegerField()
    state = serializers.CharField(help_text="The title of its stage; empty for what has none")
    is_open = serializers.BooleanField()
    url = serializers.CharField(help_text="Its page here")


class GroupShape(serializers.Serializer[Any]):
    """What was found of one kind."""

    title = serializers.CharField()
    hits = HitShape(many=True)


class FoundShape(serializers.Serializer[Any]):
    """What was found, grouped by kind."""

    groups = GroupShape(many=True)


class Search(APIView):
    """One search for anything."""

    @extend_schema(responses=FoundShape, parameters=[OpenApiParameter("q", str, required=True)])
    def get(self, request: PersonsCall) -> Response:
        """Orders, purchases, transfers, references, tracking numbers, customers, suppliers, products: two letters or more."""
        groups = finding.find(request.query_params.get("q", ""), access_scope=access.scope_of(request.user))
        return Response(
            {
                "groups": [
                    {
                        "title": group.title,
                        "hits": [
                            {
                                "title": hit.title,
                                "detail": hit.detail,
                                "matched": hit.matched,
                                "connection": hit.connection,
                                "model": hit.model,
                                "odoo_id": hit.odoo_id,
                                "state": hit.state,
                                "is_open": hit.is_open,
                                "url": hit.href,
                            }
                            for hit in group.hits
                        ],
                    }
                    for group in groups
                ]
            }
        )
