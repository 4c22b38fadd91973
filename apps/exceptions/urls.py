"""Addresses of the exception screens."""

from django.urls import path

from apps.exceptions.bulk import views as bulk
from apps.exceptions.causes import views as causes
from apps.exceptions.odoo_activities import views as odoo_activities
from apps.exceptions.playbooks import views as playbooks
from apps.exceptions.queue import views

app_name = "exceptions"
urlpatterns = [
    path("exceptions/", views.queue, name="queue"),
    path("exceptions/export.csv", views.export, name="export"),
    path("exceptions/do/", views.do, name="do"),
    path("exceptions/bulk-jobs/<uuid:job_id>/", bulk.bulk_job, name="bulk-job"),
    path("exceptions/bulk-jobs/<uuid:job_id>/undo/", bulk.undo, name="undo"),
    path("exceptions/causes/<int:group_id>/", causes.cause, name="cause"),
    path("exceptions/views/", views.save_view, name="save-view"),
    path("exceptions/views/<int:view_id>/forget/", views.forget_view, name="forget-view"),
    path("exceptions/<int:case_id>/people/", views.people, name="people"),
    path("exceptions/<int:case_id>/around/", views.around, name="around"),
    path("exceptions/<int:case_id>/effect/", views.effect, name="effect"),
    path("exceptions/<int:case_id>/playbook/", playbooks.of_case, name="case-playbook"),
    path("exceptions/<int:case_id>/playbook/<slug:step>/", playbooks.take, name="playbook-step"),
    path("exceptions/<int:case_id>/", views.detail, name="detail"),
    path("exceptions/<int:case_id>/<slug:action>/", views.act, name="act"),
    path("playbooks/", playbooks.listing, name="playbooks"),
    path("playbooks/<str:type_name>/", playbooks.one, name="playbook"),
    path("connections/<slug:name>/exceptions-in-odoo/", odoo_activities.in_odoo, name="in-odoo"),
]
