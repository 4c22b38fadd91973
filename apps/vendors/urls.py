"""Addresses of the vendor's page, and of what people see of vendors' answers."""

from django.urls import path

from apps.vendors.follow_ups import views as follow_ups
from apps.vendors.mail import views as mails
from apps.vendors.pages import views as pages
from apps.vendors.proposals import views as proposals

app_name = "vendors"
urlpatterns = [
    path("vendor/<str:token>/", pages.orders, name="orders"),
    path("vendor/<str:token>/orders/<int:order_id>/", pages.order, name="order"),
    path("proposals/", proposals.listing, name="proposals"),
    path("proposals/<int:proposal_id>/", proposals.detail, name="proposal"),
    path("proposals/<int:proposal_id>/files/<uuid:file_id>/", proposals.attachment, name="attachment"),
    path("proposals/<int:proposal_id>/<slug:action>/", proposals.decide, name="decide"),
    path("vendor-links/", proposals.link_list, name="links"),
    path("vendor-links/<slug:connection>/<int:odoo_id>/new/", proposals.create_link, name="create-link"),
    path("vendor-links/<uuid:link_id>/revoke/", proposals.revoke_link, name="revoke-link"),
    path("vendor-rules/", proposals.rule_list, name="rules"),
    path("vendor-rules/<slug:connection>/<int:number>/<int:odoo_id>/", proposals.set_rule, name="set-rule"),
    path("follow-ups/", follow_ups.listing, name="follow-ups"),
    path("follow-ups/send/", follow_ups.send, name="send-follow-ups"),
    path("follow-ups/<slug:key>/", follow_ups.draft, name="follow-up"),
    path("mails/", mails.listing, name="mails"),
    path("mails/<uuid:mail_id>/<slug:action>/", mails.decide, name="mail"),
    path("letters/<slug:kind>/<slug:language>/", follow_ups.letter, name="letter"),
]
