# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libmonitor.a
SB_PARTS += %D%/libmonitor.a

%C%_libmonitor_a_SOURCES = \
	%D%/check.c %D%/check.h \
	%D%/on_breakers.c %D%/on_check.c \
	%D%/service.c %D%/monitor.h
