# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the app keeps in the server's database."""

from django.db import models


class KnownTask(models.Model):
    """A plugin that was a task of this server, whether or not it is still there."""

    name = models.CharField(max_length=100, unique=True)

    def __str__(self) -> str:
        """Return its name."""
        return self.name


class Verdict(models.Model):
    """Why a worker with that metadata may not execute a task with that data."""

    task_name = models.CharField(max_length=100)
    #: Digests of the two documents that alone decide.
    data = models.CharField(max_length=64)
    metadata = models.CharField(max_length=64)
    reasons = models.JSONField()
    judged_at = models.DateTimeField(db_index=True)

    class Meta:
        """One for each pair."""

        constraints = [
            models.UniqueConstraint(
                fields=["task_name", "data", "metadata"],
                name="%(app_label)s_%(class)s_unique",
            )
        ]

    def __str__(self) -> str:
        """Return what it is about."""
        return f"{self.task_name} {self.data[:12]} {self.metadata[:12]}"


class Absence(models.Model):
    """A worker that has requests and is not connected, as the reaper saw it."""

    worker = models.OneToOneField("db.Worker", on_delete=models.CASCADE)
    #: When the reaper first saw that, and when last.
    since = models.DateTimeField()
    seen = models.DateTimeField()

    def __str__(self) -> str:
        """Return who, and since when."""
        return f"{self.worker_id} since {self.since}"
