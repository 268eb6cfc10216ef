# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libedge.a
SB_PARTS += %D%/libedge.a

%C%_libedge_a_SOURCES = \
	%D%/asset.c %D%/asset.h \
	%D%/connection.c %D%/connection.h \
	%D%/counters.c %D%/counters.h \
	%D%/edge.c %D%/edge.h %D%/state.h \
	%D%/exchange.c %D%/exchange.h \
	%D%/fixed.c %D%/fixed.h \
	%D%/gate.c %D%/gate.h \
	%D%/grants.c %D%/grants.h \
	%D%/guard.c %D%/guard.h \
	%D%/gzip.c %D%/gzip.h \
	%D%/health.c %D%/health.h \
	%D%/http.c %D%/http.h \
	%D%/identity.c %D%/identity.h \
	%D%/keeper.c %D%/keeper.h \
	%D%/negotiate.c %D%/negotiate.h \
	%D%/openapi.c %D%/openapi.h \
	%D%/openapi_schema.c %D%/openapi_schema.h \
	%D%/path.c %D%/path.h \
	%D%/probe.c %D%/probe.h \
	%D%/problem.c %D%/problem.h \
	%D%/prometheus.c %D%/prometheus.h \
	%D%/registry.c %D%/registry.h \
	%D%/reply.c %D%/reply.h \
	%D%/respond.c %D%/respond.h \
	%D%/routes.c %D%/routes.h \
	%D%/serve.c %D%/serve.h \
	%D%/settings.c \
	%D%/stream.c %D%/stream.h \
	%D%/target.c %D%/target.h \
	%D%/trace.c %D%/trace.h \
	%D%/translate.c %D%/translate.h \
	%D%/writer.c %D%/writer.h

nobase_dist_pkgdata_DATA += %D%/web/api-docs.html %D%/web/page.css %D%/web/page.js
