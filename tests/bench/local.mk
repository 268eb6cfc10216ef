# SPDX-License-Identifier: MPL-2.0
#
# Benchmarks print one JSON line a case and never fail a build by a time:
#     make bench
BENCHES = %D%/analysis_bench %D%/auth_bench %D%/broker_bench %D%/cache_bench %D%/edge_bench \
	%D%/jobs_bench %D%/json_bench %D%/limiter_bench

EXTRA_PROGRAMS += $(BENCHES)
CLEANFILES += $(BENCHES)
BENCH_KIT = %D%/bench.c %D%/bench.h
BENCH_SERVICE = %D%/service.c %D%/service.h $(BENCH_KIT)

%C%_analysis_bench_SOURCES = %D%/analysis_bench.c %D%/documents.c %D%/documents.h $(BENCH_KIT)
%C%_auth_bench_SOURCES = %D%/auth_bench.c $(BENCH_SERVICE)
%C%_broker_bench_SOURCES = %D%/broker_bench.c $(BENCH_KIT)
%C%_cache_bench_SOURCES = %D%/cache_bench.c $(BENCH_SERVICE)
%C%_edge_bench_SOURCES = %D%/edge_bench.c %D%/edge_clients.c %D%/edge_clients.h \
	%D%/edge_server.c %D%/edge_server.h %D%/edge_system.c %D%/edge_system.h %D%/documents.c \
	%D%/documents.h $(BENCH_SERVICE)
%C%_jobs_bench_SOURCES = %D%/jobs_bench.c %D%/jobs_snapshot.c %D%/jobs_snapshot.h \
	%D%/jobs_system.c %D%/jobs_system.h $(BENCH_SERVICE)
%C%_json_bench_SOURCES = %D%/json_bench.c %D%/documents.c %D%/documents.h $(BENCH_KIT)
%C%_limiter_bench_SOURCES = %D%/limiter_bench.c $(BENCH_SERVICE)

.PHONY: bench
bench: $(BENCHES)
	@for bench in $(BENCHES); do ./$$bench || exit 1; done
