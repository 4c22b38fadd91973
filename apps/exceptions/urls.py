"""Addresses of the exception screens."""

from django.urls import path

from apps.exceptions import views

app_name = "exceptions"
urlpatterns = [
    path("exceptions/", views.queue, name="queue"),
    path("exceptions/export.csv", views.export, name="export"),
    path("exceptions/do/", views.do, name="do"),
    path("exceptions/bulk-jobs/<uuid:job_id>/", views.bulk_job, name="bulk-job"),
    path("exceptions/bulk-jobs/<uuid:job_id>/undo/", views.undo, name="undo"),
    path("exceptions/views/", views.save_view, name="save-view"),
    path("exceptions/views/<int:view_id>/forget/", views.forget_view, name="forget-view"),
    path("exceptions/<int:case_id>/people/", views.people, name="people"),
    path("exceptions/<int:case_id>/around/", views.around, name="around"),
    path("exceptions/<int:case_id>/", views.detail, name="detail"),
    path("exceptions/<int:case_id>/<slug:action>/", views.act, name="act"),
    path("connections/<slug:name>/exceptions-in-odoo/", views.in_odoo, name="in-odoo"),
]
