# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libbroker.a
SB_PARTS += %D%/libbroker.a

%C%_libbroker_a_SOURCES = \
	%D%/answer.c %D%/answer.h \
	%D%/broker.c %D%/broker.h \
	%D%/counters.c %D%/counters.h \
	%D%/dispatch.c %D%/dispatch.h \
	%D%/events.c %D%/events.h \
	%D%/inspect.c %D%/inspect.h \
	%D%/majordomo.c %D%/majordomo.h \
	%D%/native.c %D%/native.h \
	%D%/parcel.c %D%/parcel.h \
	%D%/peer.c %D%/peer.h \
	%D%/pending.c %D%/pending.h \
	%D%/registry.c %D%/registry.h \
	%D%/request.c %D%/request.h \
	%D%/service.c %D%/service.h \
	%D%/settings.c \
	%D%/socket.c %D%/socket.h \
	%D%/state.h \
	%D%/worker.c %D%/worker.h
