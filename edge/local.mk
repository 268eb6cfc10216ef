# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libedge.a
SB_PARTS += %D%/libedge.a

%C%_libedge_a_SOURCES = \
	%D%/address.c %D%/address.h \
	%D%/asset.c %D%/asset.h \
	%D%/audit.c %D%/audit.h \
	%D%/authority.c %D%/authority.h \
	%D%/cached.c %D%/cached.h \
	%D%/caller.c %D%/caller.h \
	%D%/connection.c %D%/connection.h \
	%D%/connections.c %D%/connections.h \
	%D%/content.c %D%/content.h \
	%D%/counters.c %D%/counters.h \
	%D%/edge.c %D%/edge.h %D%/state.h \
	%D%/exchange.c %D%/exchange.h \
	%D%/fixed.c %D%/fixed.h \
	%D%/flags.c %D%/flags.h \
	%D%/gate.c %D%/gate.h \
	%D%/grants.c %D%/grants.h \
	%D%/guard.c %D%/guard.h \
	%D%/gzip.c %D%/gzip.h \
	%D%/health.c %D%/health.h \
	%D%/http.c %D%/http.h \
	%D%/identities.c %D%/identities.h \
	%D%/identity.c %D%/identity.h \
	%D%/inquiry.c %D%/inquiry.h \
	%D%/keeper.c %D%/keeper.h \
	%D%/linger.c %D%/linger.h \
	%D%/limits.c %D%/limits.h \
	%D%/limits_answer.c %D%/limits_answer.h \
	%D%/negotiate.c %D%/negotiate.h \
	%D%/openapi.c %D%/openapi.h \
	%D%/openapi_schema.c %D%/openapi_schema.h \
	%D%/path.c %D%/path.h \
	%D%/probe.c %D%/probe.h \
	%D%/problem.c %D%/problem.h \
	%D%/prometheus.c %D%/prometheus.h \
	%D%/quotas.c %D%/quotas.h \
	%D%/registry.c %D%/registry.h \
	%D%/reply.c %D%/reply.h \
	%D%/respond.c %D%/respond.h \
	%D%/routes.c %D%/routes.h \
	%D%/serve.c %D%/serve.h \
	%D%/server.c %D%/server.h \
	%D%/settings.c %D%/settings.h \
	%D%/shelf.c %D%/shelf.h \
	%D%/signature.c %D%/signature.h \
	%D%/stream.c %D%/stream.h \
	%D%/tally.c %D%/tally.h \
	%D%/target.c %D%/target.h \
	%D%/tracing.c %D%/tracing.h \
	%D%/translate.c %D%/translate.h \
	%D%/watch.c %D%/watch.h \
	%D%/writer.c %D%/writer.h

nobase_dist_pkgdata_DATA += %D%/web/api-docs.html %D%/web/page.css %D%/web/page.js
