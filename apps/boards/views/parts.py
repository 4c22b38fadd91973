"""What the pages of boards share."""

from django.http import Http404, HttpRequest
from django.utils.translation import gettext

from apps.workflows import registry
from apps.workflows.declare import Stage, Workflow


def part(request: HttpRequest, template: str, name: str) -> str:
    """The page, or only the part of it that a live update asks for."""
    return f"{template}#{name}" if request.headers.get("X-Fragment") else template


def workflow_called(name: str) -> Workflow:
    """The workflow of an address. Raises Http404 with what there is."""
    found = registry.workflows().get(name)
    if found is None:
        raise Http404(
            gettext("There is no workflow %(name)s. There are: %(known)s.")
            % {"name": name, "known": ", ".join(registry.workflows())}
        )
    return found


def stage_called(workflow: Workflow, name: str) -> Stage:
    """The stage of an address. Raises Http404 with what there is."""
    try:
        return workflow.stage(name)
    except KeyError as error:
        raise Http404(str(error)) from error
