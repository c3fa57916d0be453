# This file is part of taskbay-debusine.
#
# SPDX-License-Identifier: GPL-3.0-or-later

