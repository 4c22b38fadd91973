"""The moves of connections and of tests of access data."""

from apps.core.transitions import Transition, Transitions
from apps.odoo.choices import AccessTestState, ConnectionState

ANY = tuple(ConnectionState)

CONNECTIONS = Transitions(
    "connection",
    ConnectionState,
    [
        Transition("check", ANY, ConnectionState.CHECKING, "an integrator, who adds it, checks it or changes its access data"),
        Transition("connect", ANY, ConnectionState.CONNECTED, "a probe that Odoo has answered"),
        Transition("fail", ANY, ConnectionState.FAILING, "a probe or a read that Odoo has not answered"),
    ],
    field="state",
)

ACCESS_TESTS = Transitions(
    "access test",
    AccessTestState,
    [
        Transition("pass", (AccessTestState.WAITING,), AccessTestState.PASSED, "a worker, when Odoo accepts the access data"),
        Transition("fail", (AccessTestState.WAITING,), AccessTestState.FAILED, "a worker, when Odoo does not"),
    ],
    field="state",
)
