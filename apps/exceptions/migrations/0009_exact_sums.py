from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLE = "exceptions_exceptioncase"
EXPRESSION = """
SELECT pg_get_expr(d.adbin, d.adrelid), format_type(a.atttypid, a.atttypmod)
  FROM pg_attribute a JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE a.attrelid = %s::regclass AND a.attname = 'rank'
"""
INDEXES = r"SELECT indexdef FROM pg_indexes WHERE tablename = %s AND indexdef ~ '\mrank\M'"


def alter(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Let sums have the decimals of their currency.

    A generated column holds the type of what it is made of, so the rank goes and comes back as it was, with its indexes. The table
    is written anew once: it holds exceptions, which are few beside records.
    """
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(EXPRESSION, [TABLE])
        expression, kind = cursor.fetchone()
        cursor.execute(INDEXES, [TABLE])
        indexes = [definition for (definition,) in cursor.fetchall()]
        cursor.execute(f"ALTER TABLE {TABLE} DROP COLUMN rank")
        cursor.execute(f"ALTER TABLE {TABLE} ALTER COLUMN amount TYPE numeric")
        cursor.execute(f"ALTER TABLE {TABLE} ADD COLUMN rank {kind} GENERATED ALWAYS AS ({expression}) STORED")
        for definition in indexes:
            cursor.execute(definition)


class Migration(migrations.Migration):
    dependencies = [("exceptions", "0008_whole_text")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunPython(alter, migrations.RunPython.noop)],
            state_operations=[
                migrations.AlterField(
                    model_name="exceptioncase",
                    name="amount",
                    field=models.DecimalField(help_text="Money at risk, with the decimals of its currency", null=True),
                ),
            ],
        ),
    ]
