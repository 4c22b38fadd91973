"""A worker of the release before goes on while the new one is rolled out: its names lead to the same jobs."""

from django.db import connection as database

from apps.accounts.models import User
from apps.exceptions.bulk import jobs
from apps.exceptions.models import BulkJob, BulkJobItem, ExceptionCase, JobState, Status
from tests.exceptions.test_bulk_jobs import begin, many, outcomes, run
from tests.world import World


def test_a_job_that_the_release_before_began_is_done_and_undone_by_this_one(world: World) -> None:
    (case_id,) = many(world, 1)
    olga = User.objects.get(username="olga")
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO exceptions_deed (id, by_id, move, arguments, state, total, created_at)"
            " VALUES (gen_random_uuid(), %s, 'acknowledge', '{}', 'waiting', 1, %s) RETURNING id",
            [olga.pk, world.now],
        )
        (job_id,) = cursor.fetchone()
        cursor.execute(
            "INSERT INTO exceptions_deedrow (deed_id, case_id, outcome, told, before, after) VALUES (%s, %s, '', '', '{}', '{}')",
            [job_id, case_id],
        )
    run(world)
    job = BulkJob.objects.get(pk=job_id)
    assert (job.state, outcomes(job), ExceptionCase.objects.get(pk=case_id).status) == ("done", {"done": 1}, Status.ACKNOWLEDGED)
    with database.cursor() as cursor:
        cursor.execute("SELECT state FROM exceptions_deed WHERE id = %s FOR UPDATE OF exceptions_deed SKIP LOCKED", [job_id])
        cursor.execute("UPDATE exceptions_deed SET state = 'taking_back', ended_at = NULL WHERE id = %s", [job_id])
    while jobs.work(now=world.now):
        pass
    job.refresh_from_db()
    assert (job.state, outcomes(job), ExceptionCase.objects.get(pk=case_id).status) == ("undone", {"undone": 1}, Status.OPEN)


def test_what_the_release_before_wrote_of_a_job_is_read_in_the_new_words(world: World) -> None:
    job = begin(world, many(world, 2), "acknowledge")
    run(world)
    with database.cursor() as cursor:
        cursor.execute("UPDATE exceptions_deedrow SET outcome = 'taken_back', told = 'why' WHERE deed_id = %s", [job.pk])
        cursor.execute("UPDATE exceptions_deed SET state = 'taken_back' WHERE id = %s", [job.pk])
    job.refresh_from_db()
    assert job.state == JobState.UNDONE
    assert set(BulkJobItem.objects.filter(job=job).values_list("outcome", "reason")) == {("undone", "why")}
