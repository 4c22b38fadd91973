"""A worker that carries commands out and kills itself at a named step, as the kernel would: no clean-up, no goodbye."""

import os
import signal
import sys
from typing import Any

import django

django.setup()

from apps.core import clock  # noqa: E402
from apps.odoo.client import OdooClient  # noqa: E402
from apps.outbox import dispatch  # noqa: E402


def die(*_: Any, **__: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(function: Any) -> Any:
    def wrapped(*arguments: Any, **named: Any) -> Any:
        function(*arguments, **named)
        die()

    return wrapped


step, real_call = sys.argv[1], OdooClient.call
writes = {"message_post", "action_confirm", "write", "create", "action_feedback"}


def call(self: OdooClient, model: str, method: str, *arguments: Any, **named: Any) -> Any:
    if method in writes and step == "before the call":
        die()
    answer = real_call(self, model, method, *arguments, **named)
    if method in writes and step == "after the call":
        die()
    return answer


OdooClient.call = call  # type: ignore[method-assign]
if step == "before the note of success":
    dispatch._finish = die
elif step == "before it is begun":
    dispatch.broken_precondition = die
dispatch.run_due(clock=clock.now)
