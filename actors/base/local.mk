# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libbase.a
SB_BASE += %D%/libbase.a

%C%_libbase_a_SOURCES = \
	%D%/arena.c %D%/arena.h \
	%D%/base.c %D%/base.h \
	%D%/buf.c %D%/buf.h \
	%D%/clock.c %D%/clock.h \
	%D%/gate.c %D%/gate.h \
	%D%/histogram.c %D%/histogram.h \
	%D%/id.c %D%/id.h \
	%D%/log.c %D%/log.h \
	%D%/queue.c %D%/queue.h \
	%D%/settings.c %D%/settings.h \
	%D%/settings_print.c %D%/settings_table.h \
	%D%/signals.c %D%/signals.h \
	%D%/slots.c %D%/slots.h \
	%D%/stats.c %D%/stats.h \
	%D%/text.c %D%/text.h \
	%D%/wheel.c %D%/wheel.h
