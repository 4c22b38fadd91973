"""The names that an answer of the API has at the least: what scripts outside the project rely on."""

RECORD = {"model", "odoo_id", "name", "url"}
EXCEPTION = {
    "id",
    "type",
    "workflow",
    "severity",
    "status",
    "record",
    "team",
    "owner",
    "amount",
    "currency",
    "opened_at",
    "due_at",
    "evidence",
}
APPROVAL = {
    "id",
    "kind",
    "status",
    "record",
    "requested_by",
    "step",
    "approvers",
    "due_at",
    "escalated_at",
    "amount",
    "currency",
    "context",
}
STAGE = {
    "stage",
    "count",
    "amount",
    "median_age_seconds",
    "oldest_age_seconds",
    "over_target",
    "arrived_24h",
    "departed_24h",
}
