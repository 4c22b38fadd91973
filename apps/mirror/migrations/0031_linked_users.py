"""Link the people whose Odoo login is known to the Odoo users that have it."""

from django.db import migrations
from django.utils import timezone

from apps.accounts.logins import normalised


def link(apps, schema_editor):
    linked_user = apps.get_model("odoo", "LinkedUser")
    people = {user.odoo_login: user.pk for user in apps.get_model("accounts", "User").objects.exclude(odoo_login="")}
    for connection in apps.get_model("odoo", "Connection").objects.all() if people else ():
        named = {}
        users = apps.get_model("mirror", "OdooUser").objects.filter(connection_id=connection.pk, deleted_at=None)
        for uid, login in users.exclude(share=True).exclude(odoo_id=1).values_list("odoo_id", "login"):
            if uid != connection.uid and normalised(login or "") in people:
                named.setdefault(normalised(login), []).append(uid)
        linked_user.objects.bulk_create(
            [
                linked_user(connection_id=connection.pk, uid=uids[0], user_id=people[login], login=login, linked_at=timezone.now())
                for login, uids in named.items()
                if len(uids) == 1
            ],
            ignore_conflicts=True,
        )


class Migration(migrations.Migration):

    dependencies = [
        ("mirror", "0030_purchases_for_orders"),
        ("odoo", "0005_linked_users"),
        ("accounts", "0004_odoo_logins"),
    ]

    operations = [migrations.RunPython(link, migrations.RunPython.noop)]
