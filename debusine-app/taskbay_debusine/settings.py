# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""The app's settings: the dictionary `TASKBAY` in the server's `local.py`."""

from dataclasses import dataclass, fields
from pathlib import Path

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What `TASKBAY` says, or its defaults."""

    #: The command, which has the plugins' processes.
    program: str = "taskbay"
    #: Directories with plugins, before the usual ones.
    plugin_dirs: tuple[str, ...] = ()
    #: How long a plugin may take to answer, in seconds.
    plugin_timeout: float = 10.0
    #: How long the command may take, in seconds.
    limit: float = 60.0
    #: Where it keeps private copies of plugins.
    cache: str

    @classmethod
    def read(cls) -> "Settings":
        """Read the server's settings."""
        cache = Path(settings.DEBUSINE_CACHE_DIRECTORY) / "taskbay"
        given = dict(getattr(settings, "TASKBAY", {}))
        unknown = given.keys() - {field.name for field in fields(cls)}
        if unknown:
            raise ImproperlyConfigured(
                f"TASKBAY has no {', '.join(sorted(unknown))}; "
                "the README of taskbay-debusine names its keys"
            )
        return cls(**{"cache": str(cache), **given})
