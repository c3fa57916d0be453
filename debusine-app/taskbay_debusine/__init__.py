# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

"""
Tasks of a Debusine server that are plugins of Taskbay.

A Django app: `INSTALLED_APPS` of the server's `local.py` names it, and each plugin
whose name the server does not have is one of its tasks then.
"""
