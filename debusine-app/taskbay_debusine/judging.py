# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a worker suits, and why not: logged, and kept where an operator finds it."""

import logging
from typing import Any

from taskbay_debusine import asking
from taskbay_debusine.fleet import alike
from taskbay_debusine.kept import Key, Reasons, digest, kept, storable

logger = logging.getLogger("debusine.taskbay")


def suits(task: str, data: dict[str, Any], metadata: dict[str, Any]) -> bool:
    """Return whether a worker suits. Raises nothing: that it cannot be said is a no."""
    try:
        reasons = asking.reasons(task, data, metadata)
    except Exception as exc:
        if not isinstance(exc, asking.Unavailable):
            logger.exception("asking the plugin `%s` failed", task)
        reasons = [_reason("plugin-failed", str(exc))]
    try:
        reasons = storable(reasons)
        key = (task, digest(data), digest(metadata))
        if kept.keep(key, reasons):
            _log(key, reasons)
    except Exception:
        logger.exception("the reasons of the plugin `%s` are not kept", task)
    return not reasons


def _reason(code: str, message: str) -> dict[str, Any]:
    return {
        "code": code,
        "key": None,
        "wanted": None,
        "found": None,
        "message": message,
    }


def _log(key: Key, reasons: Reasons) -> None:
    task, _, metadata = key
    logger.info(
        "`%s` does not run on %s: %s",
        task,
        # The scheduler says what a worker is like, not which it is.
        ", ".join(alike.names(metadata)) or "a worker that has changed since",
        "; ".join(reason["message"] for reason in reasons),
    )
