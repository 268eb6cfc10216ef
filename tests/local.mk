# SPDX-License-Identifier: MPL-2.0
#
# Programs are C on tap.h, scripts are Python without anything but the standard library and what
# `deploy/packages` names. One test alone: make check TESTS=tests/unit/base_slots_test
#
# Tests of PostgreSQL look for TEST_POSTGRES_URL and skip without it:
#     tests/kit/postgres.py run make check

TEST_EXTENSIONS = .py
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
PY_LOG_DRIVER = $(LOG_DRIVER)
PY_LOG_COMPILER = $(PYTHON)
# What the tests share among themselves stands before what they test.
TEST_LIBS =
LDADD = $(TEST_LIBS) $(SB_ALL) $(CIVETWEB_LIBS) $(SB_LIBS)

EXTRA_DIST += %D%/tap.h %D%/kit/bus.h %D%/kit/bus.py %D%/kit/cron.py %D%/kit/crowd.py \
	%D%/kit/described.h \
	%D%/kit/edge.py %D%/kit/holder.h %D%/kit/load.py %D%/kit/lossy.py %D%/kit/parts.py \
	%D%/kit/plans.h %D%/kit/postgres.py %D%/kit/prometheus.py %D%/kit/redis.py \
	%D%/kit/snapshots.h %D%/kit/tap.py %D%/kit/tzif.h %D%/kit/web.py %D%/fixtures/analysis

EXTRA_DIST += %D%/kit/jobs.py %D%/kit/outside.py %D%/kit/receiver.h

include tests/unit/local.mk
include tests/it/local.mk
include tests/bench/local.mk
include tests/fuzz/local.mk
