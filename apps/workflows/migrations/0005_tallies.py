"""Tallies of where records stand and how they move, kept by triggers; any part of a name is found by trigrams."""

from collections.abc import Iterator

import django.contrib.postgres.indexes
import django.db.models.deletion
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models

STANDING_OF = """
  SELECT connection_id, company_id, workflow, stage, currency, (since AT TIME ZONE 'UTC')::date AS since_day,
         (due_at AT TIME ZONE 'UTC')::date AS due_day, {sign}1 AS count, {sign}COALESCE(amount, 0) AS amount
    FROM {rows} WHERE is_open
"""
FLOW_OF = """
  SELECT connection_id, company_id, workflow, from_stage, to_stage, date_trunc('hour', at, 'UTC') AS hour, {sign}1 AS count
    FROM {rows}
"""
TALLIES = (
    ("standing", "workflows_position", STANDING_OF,
     "connection_id, company_id, workflow, stage, currency, since_day, due_day", "count, amount"),
    ("flow", "workflows_transition", FLOW_OF, "connection_id, company_id, workflow, from_stage, to_stage, hour", "count"),
)
EVENTS = {
    "INSERT": ("NEW TABLE AS fresh", (("+", "fresh"),)),
    "UPDATE": ("OLD TABLE AS gone NEW TABLE AS fresh", (("-", "gone"), ("+", "fresh"))),
    "DELETE": ("OLD TABLE AS gone", (("-", "gone"),)),
}


def statements() -> Iterator[tuple[str, str]]:
    """A function and a trigger for each kind of write; the functions differ in the rows that there are."""
    for name, table, rows_of, keys, values in TALLIES:
        sums = ", ".join(f"sum({value})" for value in values.split(", "))
        changed = " OR ".join(f"sum({value}) <> 0" for value in values.split(", "))
        for event, (transition, parts) in EVENTS.items():
            rows = " UNION ALL ".join(rows_of.format(sign=sign, rows=rows) for sign, rows in parts)
            function = f"workflows_tally_{name}_{event.lower()}"
            yield (
                f"CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n"
                f"INSERT INTO workflows_{name}tally ({keys}, {values})\n"
                f"SELECT {keys}, {sums} FROM ({rows}) AS r GROUP BY {keys} HAVING {changed};\nRETURN NULL; END $$;\n"
                f"CREATE TRIGGER {function} AFTER {event} ON {table} REFERENCING {transition}\n"
                f"FOR EACH STATEMENT EXECUTE FUNCTION {function}();",
                f"DROP TRIGGER {function} ON {table}; DROP FUNCTION {function}();",
            )
    yield (
        "CREATE FUNCTION workflows_tally_forget() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n"
        "DELETE FROM workflows_standingtally WHERE connection_id = OLD.id;\n"
        "DELETE FROM workflows_flowtally WHERE connection_id = OLD.id;\nRETURN NULL; END $$;\n"
        "CREATE TRIGGER workflows_tally_forget AFTER DELETE ON odoo_connection\n"
        "FOR EACH ROW EXECUTE FUNCTION workflows_tally_forget();",
        "DROP TRIGGER workflows_tally_forget ON odoo_connection; DROP FUNCTION workflows_tally_forget();",
    )


COMPANIES = """
DO $$ DECLARE of text; BEGIN
  FOR of IN SELECT DISTINCT model FROM workflows_transition LOOP
    IF to_regclass('mirror_' || replace(of, '.', '_')) IS NOT NULL THEN
      EXECUTE format('UPDATE workflows_transition t SET company_id = r.company_id FROM %I r
                       WHERE t.model = %L AND r.connection_id = t.connection_id AND r.odoo_id = t.odoo_id',
                     'mirror_' || replace(of, '.', '_'), of);
    END IF;
  END LOOP;
END $$
"""
SEED = """
INSERT INTO workflows_standingtally
  (connection_id, company_id, workflow, stage, currency, since_day, due_day, count, amount, is_folded)
SELECT connection_id, company_id, workflow, stage, currency, (since AT TIME ZONE 'UTC')::date,
       (due_at AT TIME ZONE 'UTC')::date, count(*), COALESCE(sum(amount), 0), TRUE
  FROM workflows_position WHERE is_open GROUP BY 1, 2, 3, 4, 5, 6, 7;
INSERT INTO workflows_flowtally (connection_id, company_id, workflow, from_stage, to_stage, hour, count, is_folded)
SELECT connection_id, company_id, workflow, from_stage, to_stage, date_trunc('hour', at, 'UTC'), count(*), TRUE
  FROM workflows_transition GROUP BY 1, 2, 3, 4, 5, 6;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('odoo', '0001_initial'),
        ('workflows', '0004_past'),
    ]

    operations = [
        TrigramExtension(),
        migrations.CreateModel(
            name='FlowTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('company_id', models.BigIntegerField(null=True)),
                ('workflow', models.CharField(max_length=60)),
                ('from_stage', models.CharField(blank=True, max_length=60)),
                ('to_stage', models.CharField(max_length=60)),
                ('hour', models.DateTimeField()),
                ('count', models.BigIntegerField()),
                ('is_folded', models.BooleanField(db_default=False, default=False)),
            ],
        ),
        migrations.CreateModel(
            name='StandingTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('company_id', models.BigIntegerField(null=True)),
                ('workflow', models.CharField(max_length=60)),
                ('stage', models.CharField(max_length=60)),
                ('currency', models.CharField(blank=True, max_length=10)),
                ('since_day', models.DateField()),
                ('due_day', models.DateField(null=True)),
                ('count', models.BigIntegerField()),
                ('amount', models.DecimalField(decimal_places=2, max_digits=30)),
                ('is_folded', models.BooleanField(db_default=False, default=False)),
            ],
        ),
        migrations.AddField(
            model_name='transition',
            name='company_id',
            field=models.BigIntegerField(help_text="The record's company when it moved", null=True),
        ),
        migrations.AddIndex(
            model_name='position',
            index=models.Index(condition=models.Q(('is_open', True)), fields=['workflow', 'due_at'], name='positions_open_by_due'),
        ),
        migrations.AddIndex(
            model_name='position',
            index=django.contrib.postgres.indexes.GinIndex(fields=['name'], name='positions_name_trigrams', opclasses=['gin_trgm_ops']),
        ),
        migrations.AddField(
            model_name='flowtally',
            name='connection',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='odoo.connection'),
        ),
        migrations.AddField(
            model_name='standingtally',
            name='connection',
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='odoo.connection'),
        ),
        migrations.AddIndex(
            model_name='flowtally',
            index=models.Index(condition=models.Q(('is_folded', False)), fields=['workflow', 'hour'], name='flow_tally_appended'),
        ),
        migrations.AddConstraint(
            model_name='flowtally',
            constraint=models.UniqueConstraint(condition=models.Q(('is_folded', True)), fields=('workflow', 'hour', 'connection', 'company_id', 'from_stage', 'to_stage'), name='flow_tally_folded', nulls_distinct=False),
        ),
        migrations.AddIndex(
            model_name='standingtally',
            index=models.Index(condition=models.Q(('is_folded', False)), fields=['workflow'], name='standing_tally_appended'),
        ),
        migrations.AddConstraint(
            model_name='standingtally',
            constraint=models.UniqueConstraint(condition=models.Q(('is_folded', True)), fields=('workflow', 'connection', 'company_id', 'stage', 'currency', 'since_day', 'due_day'), name='standing_tally_folded', nulls_distinct=False),
        ),
        *[migrations.RunSQL(sql, reverse) for sql, reverse in statements()],
        migrations.RunSQL(COMPANIES, migrations.RunSQL.noop),
        migrations.RunSQL(SEED, migrations.RunSQL.noop),
    ]
