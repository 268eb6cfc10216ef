# SPDX-License-Identifier: MPL-2.0
#
# Programs are C on tap.h, scripts are Python without anything but the standard library and what
# `deploy/packages` names. One test alone: make check TESTS=tests/unit/base_slots_test

TEST_EXTENSIONS = .py
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
PY_LOG_DRIVER = $(LOG_DRIVER)
PY_LOG_COMPILER = $(PYTHON)
LDADD = $(SB_ALL) $(CIVETWEB_LIBS) $(SB_LIBS)

EXTRA_DIST += %D%/tap.h

include tests/unit/local.mk
include tests/it/local.mk
include tests/bench/local.mk
