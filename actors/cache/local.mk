# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libcache.a
SB_PARTS += %D%/libcache.a

%C%_libcache_a_SOURCES = \
	%D%/cache.h \
	%D%/drop.c %D%/drop.h \
	%D%/epochs.c %D%/epochs.h \
	%D%/flight.c \
	%D%/gather.c %D%/gather.h \
	%D%/lru.c %D%/lru.h \
	%D%/on_invalidate.c %D%/on_stats.c \
	%D%/owe.c \
	%D%/record.c %D%/record.h \
	%D%/service.c \
	%D%/shared.c %D%/shared.h \
	%D%/values.c
