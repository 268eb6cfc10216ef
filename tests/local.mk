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

EXTRA_DIST += %D%/tap.h %D%/kit/beside.h %D%/kit/bus.h %D%/kit/bus.py %D%/kit/cron.py \
	%D%/kit/crowd.py %D%/kit/database.h %D%/kit/described.h %D%/kit/edge.py %D%/kit/fakes.py \
	%D%/kit/holder.h %D%/kit/job_worker.py %D%/kit/jobs.py %D%/kit/jwt.py \
	%D%/kit/load.py %D%/kit/lossy.py %D%/kit/openapi.py %D%/kit/otlp.py %D%/kit/outside.py \
	%D%/kit/parts.py %D%/kit/plans.h %D%/kit/postgres.py %D%/kit/prometheus.py \
	%D%/kit/receiver.h %D%/kit/redis.py %D%/kit/server.h %D%/kit/snapshots.h \
	%D%/kit/stage.h %D%/kit/stream.py %D%/kit/tap.py %D%/kit/tzif.h %D%/kit/user.py \
	%D%/kit/web.py %D%/fixtures/analysis

include tests/unit/local.mk
include tests/it/local.mk
include tests/bench/local.mk
include tests/fuzz/local.mk
