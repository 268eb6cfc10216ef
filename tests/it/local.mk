# SPDX-License-Identifier: MPL-2.0
#
# Whole processes, driven by Python scripts that print TAP.
check_PROGRAMS += %D%/cron_host %D%/edge_host %D%/trace_host
EXTRA_DIST += %D%/host.h

# What the documents say; `make update-docs` is in docs/local.mk.
DOCS_TESTS = \
	%D%/docs_generated.py \
	%D%/docs_names.py \
	%D%/docs_openapi.py

TESTS += $(DOCS_TESTS)
EXTRA_DIST += $(DOCS_TESTS)

clean-local:
	rm -rf %D%/openapi-validators %D%/openapi-validators.lock

EDGE_TESTS = \
	%D%/edge_audit.py \
	%D%/edge_cache.py \
	%D%/edge_crowd.py \
	%D%/edge_drain.py \
	%D%/edge_events.py \
	%D%/edge_flags.py \
	%D%/edge_http.py \
	%D%/edge_identity.py \
	%D%/edge_limits.py \
	%D%/edge_malformed.py \
	%D%/edge_openapi.py \
	%D%/edge_proxies.py \
	%D%/edge_signing.py

TESTS += $(EDGE_TESTS)
EXTRA_DIST += $(EDGE_TESTS)

SYSTEM_TESTS = \
	%D%/analyze_cli.py \
	%D%/auth_accounts.py \
	%D%/auth_commands.py \
	%D%/auth_mails.py \
	%D%/auth_races.py \
	%D%/bus_dialects.py \
	%D%/limiter_instances.py \
	%D%/monitors.py \
	%D%/outbound_calls.py \
	%D%/python_peers.py \
	%D%/readme.py \
	%D%/system_analysis.py \
	%D%/system_cache.py \
	%D%/system_crash.py \
	%D%/system_commands.py \
	%D%/system_health.py \
	%D%/system_notify.py \
	%D%/system_identity.py \
	%D%/system_limits.py \
	%D%/system_logs.py \
	%D%/system_parts.py \
	%D%/system_secrets.py \
	%D%/system_stop.py \
	%D%/system_strangers.py \
	%D%/system_truth.py \
	%D%/webhook_events.py \
	%D%/webhook_hooks.py \
	%D%/webhook_subscriptions.py

TESTS += $(SYSTEM_TESTS)
EXTRA_DIST += $(SYSTEM_TESTS) docs/python.md docs/protocol.md \
	docs/examples/analyse.py docs/examples/greeter.py docs/examples/batch.json docs/examples/workflow.json

TESTS += %D%/cache_instances.py %D%/analysis_async.py %D%/analysis_batch.py %D%/analysis_refetch.py %D%/jobs_cron.py %D%/jobs_schedules.py
EXTRA_DIST += %D%/cache_instances.py %D%/analysis_async.py %D%/analysis_batch.py %D%/analysis_refetch.py %D%/jobs_cron.py %D%/jobs_schedules.py

JOBS_TESTS_IT = %D%/jobs_faults.py %D%/jobs_promises.py %D%/jobs_system.py
TESTS += $(JOBS_TESTS_IT)
EXTRA_DIST += $(JOBS_TESTS_IT)
METRICS_TESTS = \
	%D%/metrics_alerts.py \
	%D%/metrics_errors.py \
	%D%/metrics_lossy.py \
	%D%/metrics_prometheus.py \
	%D%/metrics_sentry.py \
	%D%/metrics_text.py \
	%D%/metrics_top.py \
	%D%/metrics_traces.py \
	%D%/trace_context.py

TESTS += $(METRICS_TESTS)
EXTRA_DIST += $(METRICS_TESTS)
