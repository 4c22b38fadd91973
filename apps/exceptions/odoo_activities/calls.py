"""What Odoo is told of exceptions and their causes: a note, and an activity that is made, changed and finished."""

from django.utils.translation import gettext_noop

from apps.workflows.declare import OdooCall

NOTE = gettext_noop("Note {title} on the record in Odoo")
VALUES = {"summary": "{summary}", "note": "{note}", "user_id": "{user_id:number}", "date_deadline": "{deadline}"}
MAKE = OdooCall(
    title=gettext_noop("Create an activity for {title}"),
    method="create",
    model="mail.activity",
    arguments={"vals_list": [{"res_model_id": "{model:ref}", "res_id": "{odoo_id:number}", **VALUES}]},
)
CHANGE = OdooCall(
    title=gettext_noop("Bring the activity for {title} up to date"),
    method="write",
    model="mail.activity",
    by_mark="mark",
    arguments={"vals": VALUES},
)
POST = OdooCall(title=NOTE, method="message_post", arguments={"body": "{note}", "body_is_html": True})
FINISH = OdooCall(
    title=gettext_noop("Finish the activity for {title}"),
    method="action_feedback",
    model="mail.activity",
    by_mark="mark",
    arguments={"feedback": "{feedback}"},
)
