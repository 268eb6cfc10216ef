# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/liboutbound.a
SB_PARTS += %D%/liboutbound.a

%C%_liboutbound_a_SOURCES = \
	%D%/carry.c \
	%D%/fence.c %D%/fence.h \
	%D%/flight.c %D%/flight.h \
	%D%/hosts.c %D%/hosts.h \
	%D%/outbound.c %D%/outbound.h %D%/outbound_state.h \
	%D%/outlet.c %D%/outlet_trace.c %D%/outlet.h \
	%D%/resolver.c %D%/resolver.h \
	%D%/settings.c %D%/signature.c %D%/signature.h \
	%D%/url.c %D%/url.h
