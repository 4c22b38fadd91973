"""A worker that sends what waits for the mail server, and kills itself before it begins where it is told so."""

import os
import signal
import sys
from typing import Any

import django

django.setup()

from apps.core import clock  # noqa: E402
from apps.vendors.mail import smtp  # noqa: E402


def die(*_: Any) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


if sys.argv[1:] == ["before it is begun"]:
    smtp._send = die
smtp.send_due(clock=clock.now)
