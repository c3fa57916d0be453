# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""The app's pages: JSON, for whoever may see the request."""

from typing import Any

from debusine.db.context import context
from debusine.db.models import WorkRequest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from taskbay_debusine import asking
from taskbay_debusine.fleet import fleet
from taskbay_debusine.kept import digest
from taskbay_debusine.models import Verdict
from taskbay_debusine.registry import registry


NOBODY = "Authentication is needed"


def _is_known() -> bool:
    """Return whether it is a user or a worker of the server who asks."""
    user = context.user
    is_user = user is not None and user.is_authenticated
    return is_user or context.worker_token is not None


@require_GET
def tasks(request: HttpRequest) -> HttpResponse:
    """Show the plugin files, and which of them are tasks of this server."""
    if not _is_known():
        return _problem(NOBODY, status=403)
    try:
        listed = asking.tasks(None, wait=True)
    except asking.Unavailable as exc:
        return _problem("The plugins cannot be listed", str(exc), status=503)
    rows = [{**row, "task": _state(row)} for row in listed["tasks"]]
    return JsonResponse({"schema": "taskbay.debusine.tasks/1", "tasks": rows})


def _state(row: dict[str, Any]) -> str:
    if row["status"] == "ok" and registry.has(row["name"]):
        return "plugin"
    return "debusine" if row["name"] in registry.skipped else "none"


@require_GET
def explain(request: HttpRequest, work_request_id: int) -> HttpResponse:
    """Show who could execute a request, who could not, and why not."""
    if not _is_known():
        return _problem(NOBODY, status=403)
    visible = WorkRequest.objects.in_current_scope().can_display(context.user)
    work_request = visible.filter(pk=work_request_id).first()
    if work_request is None:
        return _problem(f"Work request {work_request_id} not found", status=404)
    name, data = work_request.task_name.lower(), work_request.used_task_data
    if not registry.has(name):
        return _problem(
            f"Work request {work_request_id} is no plugin's",
            f"Debusine itself decides about the task `{name}`, and gives no reasons.",
            status=409,
        )
    workers = fleet()
    try:
        explained = asking.explain(name, data, [asked for _, asked in workers])
    except asking.Unavailable as exc:
        return _problem("The plugin cannot be asked", str(exc), status=503)
    return JsonResponse(
        {
            "id": work_request.id,
            "task_name": name,
            "status": work_request.status,
            **explained,
            "recorded": _recorded(name, data, workers),
        }
    )


def _recorded(
    name: str, data: dict[str, Any], workers: list[Any]
) -> list[dict[str, Any]]:
    """Return what the scheduler was told of these workers, as they are now."""
    kept = Verdict.objects.filter(task_name=name, data=digest(data))
    by_metadata = {verdict.metadata: verdict for verdict in kept}
    found = []
    for worker, asked in workers:
        verdict = by_metadata.get(digest(asked["metadata"]))
        if verdict is not None:
            found.append(
                {
                    "worker": worker.name,
                    "judged_at": verdict.judged_at,
                    "reasons": verdict.reasons,
                }
            )
    return found


def _problem(title: str, detail: str | None = None, *, status: int) -> HttpResponse:
    problem = {"title": title} if detail is None else {"title": title, "detail": detail}
    return JsonResponse(
        problem, status=status, content_type="application/problem+json"
    )
