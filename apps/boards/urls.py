"""Addresses of the home page, the boards and the records."""

from django.urls import path

from apps.boards import views

app_name = "boards"
urlpatterns = [
    path("", views.home, name="home"),
    path("fresh/", views.fresh, name="fresh"),
    path("place/", views.place, name="place"),
    path("figures/", views.figures, name="figures"),
    path("boards/", views.overview, name="overview"),
    path("boards/<slug:workflow>/", views.board, name="board"),
    path("boards/<slug:workflow>/<slug:stage>/", views.stage, name="stage"),
    path("records/<slug:connection>/<str:model>/<int:odoo_id>/", views.record, name="record"),
    path("records/<slug:connection>/<str:model>/<int:odoo_id>/decisions/", views.decisions, name="decisions"),
    path("suppliers/<slug:connection>/<int:odoo_id>/", views.supplier, name="supplier"),
    path("connections/<slug:connection>/mirrored/", views.mirrored, name="mirrored"),
]
