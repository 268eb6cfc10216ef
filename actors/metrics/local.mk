# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libmetrics.a
SB_PARTS += %D%/libmetrics.a

%C%_libmetrics_a_SOURCES = \
	%D%/alerts.c %D%/alerts.h \
	%D%/board.c %D%/board.h \
	%D%/errors.c %D%/errors.h \
	%D%/exporter.c %D%/exporter.h \
	%D%/heard.c %D%/heard.h \
	%D%/likeness.c %D%/likeness.h \
	%D%/messenger.c %D%/messenger.h \
	%D%/metrics.c %D%/metrics.h \
	%D%/on_errors.c %D%/on_traces.c \
	%D%/otlp.c %D%/otlp.h \
	%D%/pace.c %D%/pace.h \
	%D%/rules.c %D%/rules.h \
	%D%/sentry.c %D%/sentry.h \
	%D%/summary.c %D%/summary.h \
	%D%/traces.c %D%/traces.h
