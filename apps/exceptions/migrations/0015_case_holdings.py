"""Who had a case from when on, appended by triggers, so that no way of changing an owner can leave it out."""

import django.db.models.deletion
from django.db import migrations, models


APPEND = """
CREATE FUNCTION exceptions_case_held() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
INSERT INTO exceptions_caseholding (case_id, at, team_id, is_owned)
SELECT id, opened_at, team_id, owner_id IS NOT NULL FROM fresh;
RETURN NULL; END $$;
CREATE TRIGGER exceptions_case_held AFTER INSERT ON exceptions_exceptioncase REFERENCING NEW TABLE AS fresh
FOR EACH STATEMENT EXECUTE FUNCTION exceptions_case_held();
CREATE FUNCTION exceptions_case_passed_on() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
INSERT INTO exceptions_caseholding (case_id, at, team_id, is_owned)
SELECT f.id, f.updated_at, f.team_id, f.owner_id IS NOT NULL
  FROM fresh f
  JOIN gone g ON g.id = f.id
 WHERE (f.team_id, f.owner_id IS NOT NULL) IS DISTINCT FROM (g.team_id, g.owner_id IS NOT NULL);
RETURN NULL; END $$;
CREATE TRIGGER exceptions_case_passed_on AFTER UPDATE ON exceptions_exceptioncase REFERENCING OLD TABLE AS gone NEW TABLE AS fresh
FOR EACH STATEMENT EXECUTE FUNCTION exceptions_case_passed_on();
"""
REMOVE = """
DROP TRIGGER exceptions_case_held ON exceptions_exceptioncase;
DROP FUNCTION exceptions_case_held();
DROP TRIGGER exceptions_case_passed_on ON exceptions_exceptioncase;
DROP FUNCTION exceptions_case_passed_on();
"""
# Of what was there before, only the first owner's moment is known.
SEED = """
INSERT INTO exceptions_caseholding (case_id, at, team_id, is_owned)
SELECT id, opened_at, team_id, COALESCE(owned_at <= opened_at, FALSE) FROM exceptions_exceptioncase
 UNION ALL
SELECT id, owned_at, team_id, TRUE FROM exceptions_exceptioncase WHERE owned_at > opened_at
 ORDER BY 2;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0006_limit_currency'),
        ('exceptions', '0014_shown_cause'),
    ]

    operations = [
        migrations.CreateModel(
            name='CaseHolding',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField()),
                ('is_owned', models.BooleanField()),
                ('case', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='exceptions.exceptioncase')),
                ('team', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.team')),
            ],
        ),
        migrations.RunSQL(APPEND, REMOVE),
        migrations.RunSQL(SEED, migrations.RunSQL.noop),
    ]
