"""Addresses of the home page, the boards, search and the records."""

from django.urls import path

from apps.boards.views import boards, finding, pages, parameters, targets

app_name = "boards"
urlpatterns = [
    path("", pages.home, name="home"),
    path("fresh/", pages.fresh, name="fresh"),
    path("place/", pages.place, name="place"),
    path("search/", finding.search, name="search"),
    path("partners/<slug:connection>/<int:odoo_id>/", finding.partner, name="partner"),
    path("products/<slug:connection>/<int:odoo_id>/", finding.product, name="product"),
    path("wall/", boards.wall, name="wall"),
    path("eventlog/ocel/", boards.ocel, name="ocel"),
    path("eventlog/xes/", boards.xes, name="xes"),
    path("figures/", boards.figures, name="figures"),
    path("figures/targets/", targets.targets, name="targets"),
    path("parameters/", parameters.listing, name="parameters"),
    path("parameters/<str:parameter>/", parameters.one, name="parameter"),
    path("boards/", boards.overview, name="overview"),
    path("boards/<slug:workflow>/", boards.board, name="board"),
    path("boards/<slug:workflow>/outlook/", boards.outlook, name="outlook"),
    path("boards/<slug:workflow>/flow/", boards.flow, name="flow"),
    path("boards/<slug:workflow>/moves/", boards.moves, name="moves"),
    path("boards/<slug:workflow>/compare/", boards.comparison, name="compare"),
    path("boards/<slug:workflow>/<slug:stage>/", boards.stage, name="stage"),
    path("records/<slug:connection>/<str:model>/<int:odoo_id>/", pages.record, name="record"),
    path("records/<slug:connection>/<str:model>/<int:odoo_id>/decisions/", pages.decisions, name="decisions"),
    path("suppliers/<slug:connection>/<int:odoo_id>/", pages.supplier, name="supplier"),
    path("connections/<slug:connection>/mirrored/", pages.mirrored, name="mirrored"),
]
