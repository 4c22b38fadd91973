"""Name bulk jobs, their items and their states by the field's words.

Programs of the release before run on until they are replaced: views under the former names lead to the tables, and a
trigger writes the states and results that they know by their new names. The release after this one drops both.
"""

from django.db import migrations, models
from django.db.models import Q

FORMER_NAMES = """
    UPDATE exceptions_bulkjob SET state = CASE state WHEN 'taking_back' THEN 'undoing' ELSE 'undone' END
     WHERE state IN ('taking_back', 'taken_back');
    UPDATE exceptions_bulkjobitem SET outcome = 'undone' WHERE outcome = 'taken_back';

    CREATE FUNCTION exceptions_bulk_state() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.state := CASE NEW.state WHEN 'taking_back' THEN 'undoing' WHEN 'taken_back' THEN 'undone' ELSE NEW.state END;
        RETURN NEW;
    END $$;
    CREATE TRIGGER former_state BEFORE INSERT OR UPDATE OF state ON exceptions_bulkjob
        FOR EACH ROW WHEN (NEW.state IN ('taking_back', 'taken_back')) EXECUTE FUNCTION exceptions_bulk_state();
    CREATE FUNCTION exceptions_bulk_outcome() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        NEW.outcome := 'undone';
        RETURN NEW;
    END $$;
    CREATE TRIGGER former_outcome BEFORE INSERT OR UPDATE OF outcome ON exceptions_bulkjobitem
        FOR EACH ROW WHEN (NEW.outcome = 'taken_back') EXECUTE FUNCTION exceptions_bulk_outcome();

    CREATE VIEW exceptions_deed AS
        SELECT id, by_id, move, arguments, state, total, created_at, ended_at FROM exceptions_bulkjob;
    CREATE VIEW exceptions_deedrow AS
        SELECT id, job_id AS deed_id, case_id, outcome, reason AS told, before, after FROM exceptions_bulkjobitem;
"""

WITHOUT_FORMER_NAMES = """
    DROP VIEW exceptions_deedrow;
    DROP VIEW exceptions_deed;
    DROP TRIGGER former_outcome ON exceptions_bulkjobitem;
    DROP FUNCTION exceptions_bulk_outcome();
    DROP TRIGGER former_state ON exceptions_bulkjob;
    DROP FUNCTION exceptions_bulk_state();
    UPDATE exceptions_bulkjobitem SET outcome = 'taken_back' WHERE outcome = 'undone';
    UPDATE exceptions_bulkjob SET state = CASE state WHEN 'undoing' THEN 'taking_back' ELSE 'taken_back' END
     WHERE state IN ('undoing', 'undone');
"""

STATES = [("waiting", "Waiting"), ("done", "Done"), ("undoing", "Being undone"), ("undone", "Undone")]
OUTCOMES = [("", "Waiting"), ("done", "Done"), ("refused", "Refused"), ("undone", "Undone"), ("kept", "Kept")]


class Migration(migrations.Migration):
    dependencies = [("exceptions", "0009_exact_sums")]

    operations = [
        migrations.RemoveIndex("deed", "deeds_to_do"),
        migrations.RemoveIndex("deedrow", "rows_by_outcome"),
        migrations.RemoveConstraint("deedrow", "one_row_a_deed"),
        migrations.RenameModel("Deed", "BulkJob"),
        migrations.RenameModel("DeedRow", "BulkJobItem"),
        migrations.RenameField("bulkjobitem", "deed", "job"),
        migrations.RenameField("bulkjobitem", "told", "reason"),
        migrations.AlterField(
            "bulkjobitem", "job", models.ForeignKey("exceptions.BulkJob", models.CASCADE, related_name="items")
        ),
        migrations.AlterField(
            "bulkjobitem", "reason", models.CharField(blank=True, help_text="Why it was refused or kept", max_length=400)
        ),
        migrations.AlterField(
            "bulkjobitem", "after", models.JSONField(default=dict, help_text="What the job made of it")
        ),
        migrations.AlterField("bulkjob", "state", models.CharField(choices=STATES, default="waiting", max_length=12)),
        migrations.AlterField(
            "bulkjobitem", "outcome", models.CharField(blank=True, choices=OUTCOMES, default="", max_length=12)
        ),
        migrations.AddConstraint("bulkjobitem", models.UniqueConstraint(fields=["job", "case"], name="one_item_a_case")),
        migrations.AddIndex("bulkjobitem", models.Index(fields=["job", "outcome", "case"], name="items_by_outcome")),
        migrations.AddIndex(
            "bulkjob",
            models.Index(fields=["created_at"], condition=Q(state__in=["waiting", "undoing"]), name="bulk_jobs_to_do"),
        ),
        migrations.RunSQL(FORMER_NAMES, WITHOUT_FORMER_NAMES),
    ]
