"""States of a connection and of the test of new access data: code, label, colour and icon in one place."""

from django.utils.translation import gettext_lazy

from apps.core.looks import Look, StatusChoices


class ConnectionState(StatusChoices):
    """Whether an Odoo answers, as of the last time that it was asked."""

    UNKNOWN = "unknown", Look("", "circle-dashed"), gettext_lazy("Not checked yet")
    CHECKING = "checking", Look("calm", "loader"), gettext_lazy("Checking…")
    CONNECTED = "connected", Look("done", "circle-check"), gettext_lazy("Connected")
    FAILING = "failing", Look("late", "octagon-alert"), gettext_lazy("Failing")


class AccessTestState(StatusChoices):
    """How far the test of new access data is."""

    WAITING = "waiting", Look("calm", "loader"), gettext_lazy("Waiting")
    PASSED = "passed", Look("done", "circle-check"), gettext_lazy("Passed")
    FAILED = "failed", Look("late", "octagon-alert"), gettext_lazy("Failed")
