"""The routes of REST v1. Each app owns its own views; here they get their addresses, and POST its idempotency."""

import re
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import URLPattern, path, re_path
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from apps.api import errors, problems
from apps.api import schema as schema  # registers how the token is described
from apps.api.idempotency import idempotent
from apps.approvals.absence import api as away
from apps.approvals.inbox import api as approvals
from apps.approvals.policies import api as policies
from apps.audit import api as audit
from apps.boards.boards import api as boards
from apps.boards.findings import api as findings
from apps.boards.held import api as held
from apps.boards.profiles import api as profiles
from apps.boards.profiles import products_api as product_profiles
from apps.boards.profiles import vendors_api as vendor_profiles
from apps.boards.reports import api as reports
from apps.boards.search import api as search
from apps.boards.shell import parameters_api as parameters
from apps.customers import api as customers
from apps.events import api as events
from apps.exceptions.bulk import api as bulk
from apps.exceptions.causes import api as causes
from apps.exceptions.playbooks import api as playbooks
from apps.exceptions.queue import api as exceptions
from apps.exceptions.queue import saved_api
from apps.health import api as health
from apps.intake import api as intake
from apps.notifications import api as notifications
from apps.odoo import api as odoo
from apps.outbox import api as outbox
from apps.timers import api as timers
from apps.vendors.follow_ups import api as follow_ups
from apps.vendors.mail import api as mails
from apps.vendors.proposals import api as proposals
from apps.workflows import api as workflows
from apps.workflows import what_if_api as what_if

app_name = "api"


def route(address: str, view: Any, name: str) -> URLPattern:
    """An address of the API."""
    return path(address, idempotent(view.as_view()), name=name)


# Addresses of 0.1.0 and where they are since 0.2.0, as regular expressions. 0.3.0 answers them no more.
MOVED = (
    (r"deeds/(?P<job>[0-9a-f-]{36})/rows/", r"bulk-jobs/\g<job>/items/"),
    (r"deeds/(?P<rest>.*)", r"bulk-jobs/\g<rest>"),
    (r"exceptions/(?P<case>[0-9]+)/remedies/", r"exceptions/\g<case>/actions/"),
    (r"exceptions/(?P<case>[0-9]+)/take/", r"exceptions/\g<case>/apply/"),
    (r"approvals/askable/", r"approvals/available/"),
    (r"deliveries/(?P<delivery>[0-9]+)/mend/", r"deliveries/\g<delivery>/edit/"),
)


def moved_or_not_found(request: HttpRequest) -> HttpResponse:
    """Answer an address that the API does not have: 308 if it had it in the release before, else a problem document."""
    former = request.path.removeprefix("/api/v1/")
    for pattern, address in MOVED:
        if found := re.fullmatch(pattern, former):
            query = f"?{request.META['QUERY_STRING']}" if request.META["QUERY_STRING"] else ""
            return HttpResponsePermanentRedirect("/api/v1/" + found.expand(address) + query, preserve_request=True)
    said = "There is nothing at this address. All addresses are in /api/v1/schema/."
    return problems.answer("not_found", said, instance=request.path)


urlpatterns = [
    route("records/<str:model>/", workflows.Records, "records"),
    route("records/<str:model>/<int:odoo_id>/", workflows.Record, "record"),
    route("records/<str:model>/<int:odoo_id>/held/", held.RecordHeld, "record-held"),
    route("customers/<int:odoo_id>/", profiles.Customer, "customer"),
    route("vendors/<int:odoo_id>/", vendor_profiles.Vendor, "vendor"),
    route("products/<int:odoo_id>/", product_profiles.Product, "product"),
    route("suppliers/<int:odoo_id>/impact/", workflows.SupplierImpact, "supplier-impact"),
    route("what-if/", what_if.WhatIf, "what-if"),
    route("exceptions/", exceptions.Exceptions, "exceptions"),
    route("exceptions/<int:case_id>/", exceptions.OneException, "exception"),
    route("exceptions/<int:case_id>/assign/", exceptions.AssignMove, "exception-assign"),
    route("exceptions/<int:case_id>/acknowledge/", exceptions.AcknowledgeMove, "exception-acknowledge"),
    route("exceptions/<int:case_id>/snooze/", exceptions.SnoozeMove, "exception-snooze"),
    route("exceptions/<int:case_id>/resolve/", exceptions.ResolveMove, "exception-resolve"),
    route("exceptions/<int:case_id>/comment/", exceptions.CommentMove, "exception-comment"),
    route("exceptions/<int:case_id>/actions/", exceptions.Actions, "exception-actions"),
    route("exceptions/<int:case_id>/apply/", exceptions.ApplyMove, "exception-apply"),
    route("exceptions/<int:case_id>/undo-apply/", exceptions.UndoApplyMove, "exception-undo-apply"),
    route("exceptions/<int:case_id>/held/", held.ExceptionHeld, "exception-held"),
    route("exceptions/<int:case_id>/playbook/", playbooks.CasePlaybook, "exception-playbook"),
    route("exceptions/<int:case_id>/playbook/<slug:step>/", playbooks.CaseStep, "exception-playbook-step"),
    route("playbooks/<str:type_name>/", playbooks.OnePlaybook, "playbook"),
    route("cause-groups/", causes.CauseGroups, "cause-groups"),
    route("cause-groups/<int:group_id>/", causes.OneCauseGroup, "cause-group"),
    route("bulk-jobs/", bulk.BulkJobs, "bulk-jobs"),
    route("bulk-jobs/<uuid:job_id>/", bulk.OneBulkJob, "bulk-job"),
    route("bulk-jobs/<uuid:job_id>/items/", bulk.BulkJobItems, "bulk-job-items"),
    route("bulk-jobs/<uuid:job_id>/undo/", bulk.UndoBulkJob, "bulk-job-undo"),
    route("views/", saved_api.Views, "views"),
    route("views/<int:view_id>/", saved_api.OneView, "view"),
    route("approvals/", approvals.Approvals, "approvals"),
    route("approvals/available/", approvals.AvailableApprovals, "approvals-available"),
    route("approvals/<int:request_id>/", approvals.Approval, "approval"),
    route("approvals/<int:request_id>/approve/", approvals.ApproveMove, "approval-approve"),
    route("approvals/<int:request_id>/reject/", approvals.RejectMove, "approval-reject"),
    route("approvals/<int:request_id>/recall/", approvals.RecallMove, "approval-recall"),
    route("approvals/<int:request_id>/undo/", approvals.UndoMove, "approval-undo"),
    route("approvals/<int:request_id>/question/", approvals.QuestionMove, "approval-question"),
    route("approvals/<int:request_id>/request-changes/", approvals.RequestChangesMove, "approval-request-changes"),
    route("approvals/<int:request_id>/answer/", approvals.AnswerMove, "approval-answer"),
    route("approvals/<int:request_id>/delegate/", approvals.DelegateMove, "approval-delegate"),
    route("approvals/<int:request_id>/held/", held.ApprovalHeld, "approval-held"),
    route("absence/", away.OwnAbsence, "absence"),
    route("absence/end/", away.EndAbsence, "absence-end"),
    route("policies/", policies.Policies, "policies"),
    route("policies/withdraw/", policies.WithdrawPolicy, "policy-withdraw"),
    route("policies/preview/", policies.PolicyPreview, "policy-preview"),
    route("parameters/", parameters.Parameters, "parameters"),
    route("parameters/preview/", parameters.ParameterPreview, "parameter-preview"),
    route("parameters/<str:parameter>/", parameters.OneParameter, "parameter"),
    route("preferences/", notifications.OwnPreferences, "preferences"),
    route("boards/<str:workflow>/", boards.Board, "board"),
    route("search/", search.Search, "search"),
    route("kpis/", boards.Kpis, "kpis"),
    route("kpis/<slug:name>/records/", boards.KpiRecords, "kpi-records"),
    route("kpis/<slug:name>/alert/", reports.Alert, "kpi-alert"),
    route("reports/", reports.Reports, "reports"),
    route("reports/<slug:subject>/", reports.One, "report"),
    route("kpis/<slug:name>/target/", boards.Target, "kpi-target"),
    route("findings/", findings.Findings, "findings"),
    route("findings/<slug:name>/records/", findings.FindingRecords, "finding-records"),
    route("held/", held.Held, "held"),
    route("commands/", outbox.Commands, "commands"),
    route("commands/<uuid:command_id>/retry/", outbox.Retry, "command-retry"),
    route("deliveries/", intake.Deliveries, "deliveries"),
    route("deliveries/replay/", intake.ReplaySeveral, "deliveries-replay"),
    route("deliveries/<int:delivery_id>/", intake.OneDelivery, "delivery"),
    route("deliveries/<int:delivery_id>/edit/", intake.EditPayload, "delivery-edit"),
    route("deliveries/<int:delivery_id>/replay/", intake.Replay, "delivery-replay"),
    route("alert-rules/", health.AlertRules, "alert-rules"),
    route("alert-rules/<int:rule_id>/", health.OneAlertRule, "alert-rule"),
    route("alert-endpoints/", health.Endpoints, "alert-endpoints"),
    route("alert-endpoints/<int:endpoint_id>/", health.OneEndpoint, "alert-endpoint"),
    route("alert-endpoints/<int:endpoint_id>/rotate/", health.RotateEndpoint, "alert-endpoint-rotate"),
    route("events/", events.Events, "events"),
    route("events/<int:event_id>/match/", events.Match, "event-match"),
    route("events/<int:event_id>/dismiss/", events.Dismiss, "event-dismiss"),
    route("proposals/", proposals.Proposals, "proposals"),
    route("proposals/<int:proposal_id>/", proposals.OneProposal, "proposal"),
    route("proposals/<int:proposal_id>/accept/", proposals.AcceptMove, "proposal-accept"),
    route("proposals/<int:proposal_id>/push-back/", proposals.PushBackMove, "proposal-push-back"),
    route("proposals/<int:proposal_id>/buy-elsewhere/", proposals.BuyElsewhereMove, "proposal-buy-elsewhere"),
    route("vendor-links/", proposals.VendorLinks, "vendor-links"),
    route("vendor-links/<uuid:link_id>/revoke/", proposals.RevokeVendorLink, "vendor-link-revoke"),
    route("vendor-rules/", proposals.VendorRules, "vendor-rules"),
    route("follow-up-drafts/", follow_ups.FollowUpDrafts, "follow-up-drafts"),
    route("follow-up-drafts/send/", follow_ups.SendFollowUps, "follow-up-drafts-send"),
    route("follow-up-drafts/<slug:key>/", follow_ups.OneFollowUpDraft, "follow-up-draft"),
    route("follow-up-drafts/<slug:key>/send/", follow_ups.SendFollowUpMove, "follow-up-draft-send"),
    route("follow-up-drafts/<slug:key>/dismiss/", follow_ups.DismissFollowUpMove, "follow-up-draft-dismiss"),
    route("follow-ups/", follow_ups.FollowUps, "follow-ups"),
    route("mails/", mails.Mails, "mails"),
    route("mails/<uuid:mail_id>/send-again/", mails.SendMailAgain, "mail-send-again"),
    route("mails/<uuid:mail_id>/mark-sent/", mails.MarkMailSent, "mail-mark-sent"),
    route("mails/<uuid:mail_id>/cancel/", mails.CancelMail, "mail-cancel"),
    route("customer-drafts/", customers.CustomerDrafts, "customer-drafts"),
    route("customer-drafts/send/", customers.SendDrafts, "customer-drafts-send"),
    route("customer-drafts/<slug:key>/", customers.OneCustomerDraft, "customer-draft"),
    route("customer-drafts/<slug:key>/send/", customers.SendDraftMove, "customer-draft-send"),
    route("customer-drafts/<slug:key>/dismiss/", customers.DismissDraftMove, "customer-draft-dismiss"),
    route("customer-messages/", customers.CustomerMessages, "customer-messages"),
    route("customer-rules/", customers.CustomerRules, "customer-rules"),
    route("calendars/", timers.Calendars, "calendars"),
    route("calendars/<slug:name>/", timers.OneCalendar, "calendar"),
    route("connections/", odoo.Connections, "connections"),
    route("connections/<slug:name>/time-zone/", odoo.ConnectionTimeZone, "connection-time-zone"),
    route("audit/", audit.Trail, "audit"),
    path("errors/", errors.Errors.as_view(), name="errors"),
    path("errors/<slug:code>/", errors.OneError.as_view(), name="error"),
    path("schema/", SpectacularAPIView.as_view(authentication_classes=[], permission_classes=[]), name="schema"),
    path(
        "docs/",
        login_required(
            SpectacularSwaggerSplitView.as_view(url_name="api:schema", authentication_classes=[], permission_classes=[])
        ),
        name="docs",
    ),
    re_path(r"", csrf_exempt(moved_or_not_found)),
]
