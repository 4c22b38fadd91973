"""The intake processes of tests/intake, for the faults that need one."""

from tests.intake.conftest import connection, run  # noqa: F401
