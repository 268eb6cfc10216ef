# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libcache.a
SB_PARTS += %D%/libcache.a

%C%_libcache_a_SOURCES = \
	%D%/epochs.c %D%/epochs.h \
	%D%/lru.c %D%/lru.h
