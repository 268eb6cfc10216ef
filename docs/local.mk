# SPDX-License-Identifier: MPL-2.0
EXTRA_DIST += %D%/rules
