# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""The app's URLs."""

from django.urls import path

from taskbay_debusine import views

urlpatterns = [
    path("api/taskbay/1.0/tasks/", views.tasks),
    path("api/taskbay/1.0/explain/<int:work_request_id>/", views.explain),
]
