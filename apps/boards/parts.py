"""What the pages of boards share."""

from django.http import Http404
from django.utils.translation import gettext

from apps.workflows import registry
from apps.workflows.declare import Stage, Workflow


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


def is_workflow(name: str) -> bool:
    """Return whether there is a workflow of that name."""
    return name in registry.workflows()
