# SPDX-License-Identifier: MPL-2.0
#
# Fuzz targets. With --enable-fuzzers (and clang) they are libFuzzer programs:
#     ./tests/fuzz/json_fuzz -max_total_time=60 CORPUS
# without, they replay their corpus in `make check`.

FUZZ_TARGETS = \
	%D%/analysis_fuzz \
	%D%/cron_fuzz \
	%D%/descriptor_fuzz \
	%D%/events_fuzz \
	%D%/frame_fuzz \
	%D%/http_fuzz \
	%D%/json_fuzz \
	%D%/log_fuzz \
	%D%/msgpack_fuzz \
	%D%/zone_fuzz

check_PROGRAMS += $(FUZZ_TARGETS)
EXTRA_DIST += %D%/corpus

if FUZZERS
FUZZ_MAIN = %D%/fuzz.h
%C%_analysis_fuzz_LDFLAGS = $(AM_LDFLAGS) $(SB_FUZZ_FLAGS)
%C%_cron_fuzz_LDFLAGS = $(AM_LDFLAGS) $(SB_FUZZ_FLAGS)
%C%_descriptor_fuzz_LDFLAGS = $(AM_LDFLAGS) $(SB_FUZZ_FLAGS)
%C%_events_fuzz_LDFLAGS = $(AM_LDFLAGS) $(SB_FUZZ_FLAGS)
%C%_frame_fuzz_LDFLAGS = $(AM_LDFLAGS) $(SB_FUZZ_FLAGS)
%C%_http_fuzz_LDFLAGS = $(AM_LDFLAGS) $(SB_FUZZ_FLAGS)
%C%_json_fuzz_LDFLAGS = $(AM_LDFLAGS) $(SB_FUZZ_FLAGS)
%C%_log_fuzz_LDFLAGS = $(AM_LDFLAGS) $(SB_FUZZ_FLAGS)
%C%_msgpack_fuzz_LDFLAGS = $(AM_LDFLAGS) $(SB_FUZZ_FLAGS)
%C%_zone_fuzz_LDFLAGS = $(AM_LDFLAGS) $(SB_FUZZ_FLAGS)
else
FUZZ_MAIN = %D%/replay.c %D%/fuzz.h
TESTS += $(FUZZ_TARGETS)
endif

%C%_analysis_fuzz_SOURCES = %D%/analysis_fuzz.c $(FUZZ_MAIN)
%C%_cron_fuzz_SOURCES = %D%/cron_fuzz.c $(FUZZ_MAIN)
%C%_descriptor_fuzz_SOURCES = %D%/descriptor_fuzz.c $(FUZZ_MAIN)
%C%_events_fuzz_SOURCES = %D%/events_fuzz.c $(FUZZ_MAIN)
%C%_frame_fuzz_SOURCES = %D%/frame_fuzz.c $(FUZZ_MAIN)
%C%_http_fuzz_SOURCES = %D%/http_fuzz.c $(FUZZ_MAIN)
%C%_json_fuzz_SOURCES = %D%/json_fuzz.c $(FUZZ_MAIN)
%C%_log_fuzz_SOURCES = %D%/log_fuzz.c $(FUZZ_MAIN)
%C%_msgpack_fuzz_SOURCES = %D%/msgpack_fuzz.c $(FUZZ_MAIN)
%C%_zone_fuzz_SOURCES = %D%/zone_fuzz.c $(FUZZ_MAIN)
