# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way to the app's pages."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


class PagesMiddleware:
    """
    Has the app's URLs resolved by the app.

    Debusine's middleware chooses the URLs itself, by the scope, so a site can add none
    elsewhere. It comes last in `MIDDLEWARE`: who asks is known by then.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        """Keep what comes next."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Choose the app's URLs for the app's paths."""
        if request.path_info.startswith("/api/taskbay/"):
            request.urlconf = "taskbay_debusine.urls"
        return self.get_response(request)
