"""Addresses of the home page, the boards, search and the records."""

from django.urls import path

from apps.boards.analytics import views as analytics
from apps.boards.boards import target_views as targets
from apps.boards.boards import views as boards
from apps.boards.findings import views as findings
from apps.boards.held import views as held
from apps.boards.profiles import views as profiles
from apps.boards.records import views as records
from apps.boards.reports import views as reports
from apps.boards.search import views as search
from apps.boards.shell import parameter_views as parameters
from apps.boards.shell import views as pages
from apps.boards.shell import what_if_views as what_if

app_name = "boards"
urlpatterns = [
    path("", pages.home, name="home"),
    path("fresh/", pages.fresh, name="fresh"),
    path("place/", pages.place, name="place"),
    path("search/", search.search, name="search"),
    path("partners/<slug:connection>/<int:odoo_id>/", search.partner, name="partner"),
    path("customers/<slug:connection>/<int:odoo_id>/", profiles.customer, name="customer"),
    path("vendors/<slug:connection>/<int:odoo_id>/", profiles.vendor, name="vendor"),
    path("products/<slug:connection>/<int:odoo_id>/", profiles.product, name="product"),
    path("wall/", boards.wall, name="wall"),
    path("eventlog/ocel/", analytics.ocel, name="ocel"),
    path("eventlog/xes/", analytics.xes, name="xes"),
    path("figures/", boards.figures, name="figures"),
    path("figures/targets/", targets.targets, name="targets"),
    path("figures/<slug:name>/<slug:workflow>/alert/", reports.alert, name="kpi-alert"),
    path("reports/", reports.listing, name="reports"),
    path("reports/<slug:subject>/", reports.one, name="report"),
    path("findings/", findings.findings, name="findings"),
    path("findings/<slug:name>/<slug:workflow>/", findings.records, name="finding-records"),
    path("held/", held.sums, name="held"),
    path("held/partners/<slug:connection>/<int:odoo_id>/<slug:workflow>/", held.partner, name="held-partner"),
    path("held/approvals/<int:request_id>/", held.approval, name="held-approval"),
    path("held/exceptions/<int:case_id>/", held.case, name="held-case"),
    path("approvals/of-exception/<int:case_id>/", records.approvals_of_case, name="case-approvals"),
    path("figures/<slug:name>/<slug:workflow>/", boards.figure_records, name="figure-records"),
    path("parameters/", parameters.listing, name="parameters"),
    path("parameters/<str:parameter>/", parameters.one, name="parameter"),
    path("boards/", boards.overview, name="overview"),
    path("boards/<slug:workflow>/", boards.board, name="board"),
    path("boards/<slug:workflow>/outlook/", boards.outlook, name="outlook"),
    path("boards/<slug:workflow>/flow/", analytics.flow, name="flow"),
    path("boards/<slug:workflow>/findings/", findings.of_workflow, name="workflow-findings"),
    path("boards/<slug:workflow>/moves/", analytics.moves, name="moves"),
    path("boards/<slug:workflow>/compare/", analytics.comparison, name="compare"),
    path("boards/<slug:workflow>/<slug:stage>/", boards.stage, name="stage"),
    path("records/<slug:connection>/purchase.order/<int:odoo_id>/what-if/", what_if.what_if, name="what-if"),
    path("records/<slug:connection>/<str:model>/<int:odoo_id>/", records.record, name="record"),
    path("records/<slug:connection>/<str:model>/<int:odoo_id>/partner/", profiles.partner_of_record, name="partner-of"),
    path("records/<slug:connection>/<str:model>/<int:odoo_id>/decisions/", records.decisions, name="decisions"),
    path("records/<slug:connection>/<str:model>/<int:odoo_id>/held/", held.record, name="held-record"),
    path("suppliers/<slug:connection>/<int:odoo_id>/", profiles.supplier, name="supplier"),
    path("connections/<slug:connection>/mirrored/", records.mirrored, name="mirrored"),
]
