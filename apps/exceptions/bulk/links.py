"""The addresses of a bulk job."""

from django.urls import reverse

from apps.exceptions.models import BulkJob


def links_of(job: BulkJob) -> dict[str, str]:
    """Return where a job is seen and undone."""
    return {"job": reverse("exceptions:bulk-job", args=[job.pk]), "undo": reverse("exceptions:undo", args=[job.pk])}
