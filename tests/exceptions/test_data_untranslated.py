"""What people and Odoo wrote is shown as it is, also where a word of the interface is written the same."""

import pytest
from django.utils import translation

from apps.accounts.models import Team, User
from apps.approvals import step_names
from apps.approvals.inbox import listing
from apps.audit.models import Entry
from apps.boards.records import timeline
from apps.core import sentences
from apps.exceptions import resolutions
from apps.exceptions.cases import moves
from apps.exceptions.models import ExceptionCase
from apps.exceptions.queue import screens
from tests.world import World

pytestmark = pytest.mark.django_db


def test_a_customer_and_a_requester_keep_their_names_where_requests_are_grouped() -> None:
    with translation.override("de"):
        assert listing._word_of("partner_name", "Open") == "Open"
        assert listing._word_of("requested_by", "Open") == "Open"


def test_a_resolution_that_a_person_wrote_is_not_translated_and_a_suggested_one_is() -> None:
    with translation.override("de"):
        assert resolutions.told("Open") == "Open"
        assert resolutions.told("Duplicate") == "Duplikat"
        assert resolutions.told("The record was deleted in Odoo") != "The record was deleted in Odoo"


def test_a_team_and_a_step_that_were_named_by_people_keep_their_names() -> None:
    with translation.override("de"):
        assert str(Team(slug="sales", name="Sales")) == "Vertrieb"
        assert str(Team(slug="sales", name="Open")) == "Open"
        assert step_names.told("Open") == "Open"
        assert step_names.told("Credit control") != "Credit control"
        assert sentences.said(step_names.part_of_sentence("{record}")) == "{record}"


def test_what_was_read_out_of_an_older_text_is_translated_only_where_it_is_a_word() -> None:
    with translation.override("de"):
        assert sentences.again("Open is out of office", "{person} is out of office").startswith("Open ")
        assert "(Offen)" in sentences.again("Not decided in time (Open)", "Not decided in time ({step})")


def test_notes_and_resolutions_of_people_stand_in_the_timelines_as_they_were_written(world: World) -> None:
    world.held_order()
    case = ExceptionCase.objects.get()
    olga = User.objects.get(username="olga")
    moves.assign(case.pk, owner=olga, note="Open", by=olga, now=world.now)
    moves.resolve(case.pk, resolution="Pending", by=olga, now=world.now)
    case.refresh_from_db()
    with translation.override("de"):
        assert {"Open", "Pending"} <= {one.quote for one in screens.timeline_of(case)}
        entries = Entry.objects.filter(subject=f"exception:{case.pk}")
        assert "Pending" in {timeline._happened(entry, "", {}).quote for entry in entries}
