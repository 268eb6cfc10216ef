# SPDX-License-Identifier: MPL-2.0
bin_PROGRAMS += signalbox
signalbox_SOURCES = %D%/signalbox.c
signalbox_LDADD = $(SB_ALL) $(CIVETWEB_LIBS) $(SB_LIBS)

EXTRA_DIST += %D%/fetch-swagger %D%/haproxy.cfg %D%/nginx.conf
