# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Django app."""

from django.apps import AppConfig


class TaskbayConfig(AppConfig):
    """Registers the plugins as tasks, and keeps them up to date."""

    name = "taskbay_debusine"
    verbose_name = "Taskbay"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the plugins that are there now."""
        # First, so that each name that Debusine has is taken.
        import debusine.server.tasks  # noqa: F401

        from taskbay_debusine import hooks
        from taskbay_debusine.registry import registry

        registry.start()
        hooks.connect()
