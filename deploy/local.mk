# SPDX-License-Identifier: MPL-2.0
bin_PROGRAMS += signalbox
signalbox_SOURCES = %D%/signalbox.c \
	%D%/analyze_baseline.c %D%/analyze_baseline.h \
	%D%/analyze_input.c %D%/analyze_input.h \
	%D%/analyze_options.c %D%/analyze_options.h \
	%D%/analyze_report.c %D%/analyze_report.h \
	%D%/app.c %D%/app.h \
	%D%/cell.c %D%/cell.h \
	%D%/command_admin.c \
	%D%/command_analyze.c \
	%D%/command_bus.c \
	%D%/command_errors.c \
	%D%/command_run.c \
	%D%/command_jobs.c \
	%D%/command_log.c \
	%D%/command_top.c \
	%D%/command_trace.c \
	%D%/command_user.c
signalbox_LDADD = $(SB_ALL) $(CIVETWEB_LIBS) $(SB_LIBS)

EXTRA_DIST += %D%/common.sh %D%/fetch-swagger %D%/grafana %D%/haproxy.cfg %D%/nginx.conf %D%/packages \
	%D%/prometheus %D%/signalbox.cfg %D%/test %D%/up
