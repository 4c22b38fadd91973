from django.db import migrations

REASONS = {
    "": {"reject": ["Something is missing: say what it is for"]},
    "credit_override": {
        "approve": ["Good payer, late once", "Payment is promised in writing"],
        "reject": ["Pay what is overdue first", "Ask for a payment in advance", "Order less, within the limit", "No security for this sum"],
    },
    "pricing_exception": {
        "approve": ["Worth it for the customer's whole year", "Agreed with the customer before"],
        "reject": ["Below what we can sell at", "Offer less discount", "No reason given for this price", "Offer another product"],
    },
    "procurement_threshold": {
        "approve": ["Needed for orders that wait", "Price was negotiated"],
        "reject": ["Not needed now", "Order less", "Ask another vendor for an offer", "Too long until it is here"],
    },
    "expedited_freight": {
        "approve": ["The customer cannot wait", "Our own mistake"],
        "reject": ["Costs more than it saves", "Would not be there earlier", "Deliver a part first", "The customer can wait"],
    },
    "return_authorisation": {
        "approve": ["Our own mistake", "Agreed with the customer"],
        "reject": ["Too late to send back", "Used or damaged there", "Not bought from us", "Repair it instead"],
    },
    "inventory_adjustment": {
        "approve": ["Counted twice", "The difference is explained"],
        "reject": ["Count again", "Goods stand in another place", "A transfer is still open", "Look for the cause first"],
    },
}


def fill(apps, schema_editor):
    reasons = apps.get_model("approvals", "ReasonTemplate")
    if not reasons.objects.exists():
        reasons.objects.bulk_create(
            reasons(kind=kind, decision=decision, text=text)
            for kind, of_kind in REASONS.items() for decision, texts in of_kind.items() for text in texts
        )


class Migration(migrations.Migration):
    dependencies = [("approvals", "0005_decided_index")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
