# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libruntime.a
SB_RUNTIME += %D%/libruntime.a

%C%_libruntime_a_SOURCES = \
	%D%/actor.c %D%/actor.h \
	%D%/breaker.c %D%/breaker.h \
	%D%/call.c \
	%D%/call_run.c \
	%D%/runtime_methods.c \
	%D%/state.h
