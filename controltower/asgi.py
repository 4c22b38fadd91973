"""The door of the web process.

``/hooks/`` goes to intake, which is ASGI without Django's middleware; ``/ws/`` to the live boards; static files are
answered before Django is asked; everything else is Django's.
"""

import os
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controltower.settings")

from django.core.asgi import get_asgi_application

pages = get_asgi_application()  # Sets Django up, which what is imported below needs.

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.urls import path  # noqa: E402

from apps.boards.live.consumers import LiveConsumer  # noqa: E402
from apps.intake.asgi import application as intake  # noqa: E402
from controltower.static import with_static_files  # noqa: E402

django_and_live = ProtocolTypeRouter(
    {
        "http": with_static_files(pages),
        # Another site's page may open a socket here with this site's cookies: so the origin is looked at first of all.
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter([path("ws/live/", LiveConsumer.as_asgi())]))),
    }
)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Hand each request to the part that answers it. Intake alone has something to begin and to end (lifespan)."""
    is_intakes = scope["type"] == "lifespan" or (scope["type"] == "http" and scope["path"].startswith("/hooks/"))
    await (intake if is_intakes else django_and_live)(scope, receive, send)
