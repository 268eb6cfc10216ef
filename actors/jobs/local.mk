# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libjobs.a
SB_PARTS += %D%/libjobs.a

%C%_libjobs_a_SOURCES = \
	%D%/calendar.c %D%/calendar.h \
	%D%/cron.c %D%/cron_parse.c %D%/cron.h \
	%D%/zone.c %D%/zone.h \
	%D%/zone_rule.c %D%/zone_rule.h \
	%D%/zones.c %D%/zones.h
