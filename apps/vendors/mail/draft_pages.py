"""Pages of drafts, whoever they are written to: several sent from a list; one read, tried, edited, sent and dismissed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext

from apps.accounts import access
from apps.accounts.permissions import may_work_exceptions
from apps.accounts.requests import PersonsRequest
from apps.core import clock
from apps.vendors.letters import LetterRefusedError, check_written, html_of
from apps.vendors.mail.draft_kinds import DraftKind


@dataclass(frozen=True, kw_only=True)
class DraftPages[Draft]:
    """The pages of one kind of draft.

    Attributes:
        list_name, draft_name: the names of their addresses.
        template: of the page of one draft.
        most: so many are sent at once.
        sent: the words for so many that were sent; ``choose``: for none that was chosen; ``gone``: for one that is none any more.
        link: what stands in a preview for the link that the words have to hold; empty where they hold none.
        more: what else the page of a draft shows.
    """

    kind: DraftKind[Draft]
    list_name: str
    draft_name: str
    template: str
    most: int
    sent: Callable[[int], str]
    choose: Promise
    gone: Promise
    link: str = ""
    more: Callable[[PersonsRequest, Draft], Mapping[str, Any]] = lambda request, found: {}

    def send(self, request: PersonsRequest) -> HttpResponse:
        """Send the drafts that are chosen, as they were shown."""
        chosen = list(dict.fromkeys(request.POST.getlist("draft")))[: self.most]
        versions = {key: version for key, _, version in (one.partition(":") for one in chosen)}
        done = self.kind.send_all(versions, by=request.user, now=clock.now())
        if count := sum(one.message is not None for one in done):
            messages.success(request, self.sent(count), extra_tags="done")
        for why in sorted({one.refusal for one in done if one.refusal}):
            messages.error(request, why, extra_tags="late")
        if not done:
            messages.error(request, str(self.choose), extra_tags="late")
        return redirect(self.list_name)

    def one(self, request: PersonsRequest, key: str) -> HttpResponse:
        """Show one draft: what it is about, preview and words; or do what was pressed there."""
        found: Any = self.kind.find(key, access.scope_of(request.user))
        if found is None:
            messages.error(request, str(self.gone), extra_tags="late")
            return redirect(self.list_name)
        subject, body = found.text()
        problem, status, preview, unsent = "", 200, found.preview, ""
        if request.method == "POST":
            said = request.POST.get("subject", subject), request.POST.get("body", body).replace("\r\n", "\n")
            try:
                if request.POST.get("version") != found.version:
                    raise self.kind.changed(found)
                if (done := self._do(request, found, *said)) is not None:
                    return done
                subject, body = said
            except LetterRefusedError as error:
                (subject, body), problem, status = said, str(error), error.status
            except self.kind.refused as error:
                # Words about what has changed are shown, but not under the button that sends.
                unsent, problem, status = said[1], str(error), error.status
            preview = (subject, html_of(body, link=self.link))
        context = {
            "draft": found,
            "subject": subject,
            "body": body,
            "preview": preview,
            "problem": problem,
            "unsent": unsent,
            "may_work": may_work_exceptions(request.user),
        }
        return render(request, self.template, context | dict(self.more(request, found)), status=status)

    def _do(self, request: PersonsRequest, found: Any, subject: str, body: str) -> HttpResponse | None:
        """Do what a button says; None where only the preview is wanted."""
        told: dict[str, Any] = {"by": request.user, "now": clock.now()}
        key, version, action = found.key, found.version, request.POST.get("do", "")
        is_own = (" ".join(subject.split()), body.strip()) != found.text()
        if action in ("send", "save") and is_own:
            # What is sent is what stands on the page, saved before or not.
            check_written(subject.strip(), body.strip(), needs_link=bool(self.link))
            self.kind.edit(key, version, subject=subject, body=body, **told)
        if action == "send":
            (one,) = self.kind.send_all({key: version}, **told)
            if one.refusal:
                raise self.kind.refused(one.refusal)
            messages.success(request, gettext("Sent to Odoo."), extra_tags="done")
            return redirect(self.list_name)
        if action == "dismiss":
            self.kind.dismiss(key, version, **told)
            messages.success(request, gettext("Dismissed."), extra_tags="done")
            return redirect(self.list_name)
        if action == "reset":
            self.kind.edit(key, version, subject="", body="", **told)
        if action in ("save", "reset"):
            messages.success(request, gettext("Saved."), extra_tags="done")
            return redirect(self.draft_name, key)
        return None
