# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/liblimiter.a
SB_PARTS += %D%/liblimiter.a

%C%_liblimiter_a_SOURCES = \
	%D%/engine.c %D%/engine_pack.c %D%/engine_subjects.c %D%/engine.h %D%/engine_state.h \
	%D%/gcra.h \
	%D%/policy.c %D%/policy.h \
	%D%/window.c %D%/window.h
