"""Addresses of the approval screens."""

from django.urls import path

from apps.approvals.absence import views as absence
from apps.approvals.inbox import views
from apps.approvals.policies import views as policies

app_name = "approvals"
urlpatterns = [
    path("approvals/", views.inbox, name="inbox"),
    path("approvals/history/", views.history, name="history"),
    path("approvals/ask/<slug:connection>/<str:model>/<int:odoo_id>/", views.ask, name="ask"),
    path("approvals/<int:request_id>/", views.detail, name="detail"),
    path("approvals/<int:request_id>/decide/", views.decide, name="decide"),
    path("approvals/<int:request_id>/undo/", views.undo, name="undo"),
    path("approvals/<int:request_id>/recall/", views.recall, name="recall"),
    path("approvals/<int:request_id>/ask-back/", views.request_information, name="request_information"),
    path("approvals/<int:request_id>/answer/<int:inquiry_id>/", views.answer, name="answer"),
    path("approvals/bulk/", views.approve_many, name="approve_many"),
    path("approvals/bulk/undo/", views.undo_many, name="undo_many"),
    path("approvals/policies/", policies.policies, name="policies"),
    path("approvals/policies/<slug:kind>/", policies.edit_policy, name="policy"),
    path("approvals/away/", absence.away, name="away"),
    path("approvals/<int:request_id>/delegate/", views.delegate, name="delegate"),
]
