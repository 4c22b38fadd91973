"""Signs of life."""

from django.db import models


class Heartbeat(models.Model):
    """When a part of the tower last said that it works."""

    name = models.CharField(max_length=100, primary_key=True)
    at = models.DateTimeField()
