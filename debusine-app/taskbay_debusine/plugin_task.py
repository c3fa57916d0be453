# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task of the server whose plugin decides."""

from pathlib import Path
from typing import Any

from debusine.tasks import BaseExternalTask, TaskConfigError
from debusine.tasks.models import BaseDynamicTaskData, BaseTaskData
from debusine.tasks.server import TaskDatabaseInterface

from taskbay_debusine import asking, judging


class PluginData(BaseTaskData):
    """Task data as the user wrote it: what it may say is the plugin's to know."""

    class Config:
        """Take whatever there is."""

        extra = "allow"


class PluginTask(BaseExternalTask[PluginData, BaseDynamicTaskData]):
    """
    A task of the server whose plugin decides.

    The registry makes a class of this for each plugin. Nothing that is wrong with a
    plugin, or with the process that it runs in, is raised here but invalid data: the
    server takes one task's exception for its own. A request whose plugin cannot be asked
    waits, since the plugin may come back.
    """

    def _configure(
        self,
        task_data: dict[str, Any],
        dynamic_task_data: dict[str, Any] | None = None,
    ) -> None:
        """Ask the plugin whether the data is valid."""
        hidden = sorted(
            key
            for key in task_data
            if hasattr(PluginData, key) and key not in PluginData.__fields__
        )
        if hidden:
            raise TaskConfigError(
                f"task data cannot have the key {hidden[0]!r} on a Debusine server"
            )
        super()._configure(task_data, dynamic_task_data)
        self.plugin_data = task_data
        self.plugin_label: str | None = None
        try:
            self.plugin_label = asking.configure(self.name, task_data)["label"]
        except asking.Invalid as exc:
            raise TaskConfigError(str(exc)) from exc
        except asking.Unavailable:
            # Whoever asks about workers is told why not, and that is kept.
            pass

    def can_run_on(self, worker_metadata: dict[str, Any]) -> bool:
        """Ask the plugin whether a worker suits, and keep its reasons if not."""
        return judging.suits(self.name, self.plugin_data, worker_metadata)

    def host_architecture(self) -> str | None:
        """Return the architecture that the data names, for the server's pages."""
        named = self.plugin_data.get("host_architecture")
        return named if isinstance(named, str) else self.worker_host_architecture

    @classmethod
    def analyze_worker(cls) -> dict[str, Any]:
        """Return nothing: the server's own processes execute no plugin."""
        return {}

    def build_dynamic_data(
        self, task_database: TaskDatabaseInterface
    ) -> BaseDynamicTaskData:
        """Return nothing: the worker looks up what its plugin asks for."""
        return BaseDynamicTaskData()

    def get_source_artifacts_ids(self) -> list[int]:
        """Return nothing: which keys name artifacts is the plugin's to know."""
        return []

    def get_label(self) -> str:
        """Return the plugin's line about the request, or the task's name."""
        return self.plugin_label or self.name


def make(name: str, version: int | None) -> type[PluginTask]:
    """Make the class of a plugin, which registers itself as a task of the server."""

    def run(self: PluginTask, execute_directory: Path) -> bool:
        raise TaskConfigError("a plugin is executed by Taskbay's workers alone")

    identifier = "".join(part.capitalize() for part in name.replace("-", "_").split("_"))
    return type(PluginTask)(
        f"Plugin{identifier}",
        (PluginTask,),
        {
            "__doc__": f"The task of the plugin `{name}`.",
            "__module__": __name__,
            "TASK_NAME": name,
            "TASK_VERSION": version,
            "run": run,
        },
    )
