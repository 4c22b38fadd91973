"""The time zone of a connection's companies is set on its page and over REST, audited, and shown with what it comes to."""

from django.test import Client

from apps.accounts.models import Role, User
from apps.audit.models import Entry
from tests.api.callers import caller
from tests.world import World, person


def test_the_zone_of_a_connection(db: None) -> None:
    world = World()
    person("ivan", Role.INTEGRATOR)
    person("olga", Role.OPERATOR)
    client = Client()
    client.force_login(User.objects.get(username="ivan"))
    assert "From Odoo" in client.get("/connections/main/").content.decode()
    assert client.post("/connections/main/time-zone/", {"time_zone": "Pacific/Auckland"}).status_code == 302
    world.connection.refresh_from_db()
    assert world.connection.time_zone == "Pacific/Auckland"
    page = client.get("/connections/main/").content.decode()
    assert "Nordlicht" in page and "Pacific/Auckland" in page
    client.post("/connections/main/time-zone/", {"time_zone": "Mars/Olympus"})
    world.connection.refresh_from_db()
    assert world.connection.time_zone == "Pacific/Auckland"
    client.force_login(User.objects.get(username="olga"))
    assert client.post("/connections/main/time-zone/", {"time_zone": ""}).status_code == 403

    assert caller("olga").post("connections/main/time-zone/", {"time_zone": ""}).status_code == 403
    assert caller("ivan").post("connections/main/time-zone/", {"time_zone": "Mars/Olympus"}).status_code == 422
    assert caller("ivan").post("connections/main/time-zone/", {"time_zone": ""}).json()["time_zone"] == ""
    assert [entry.data["to"] for entry in Entry.objects.filter(action="connection.time_zone_set").order_by("sequence")] == [
        "Pacific/Auckland",
        "",
    ]
