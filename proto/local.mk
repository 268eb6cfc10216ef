# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libproto.a
SB_PROTO += %D%/libproto.a

%C%_libproto_a_SOURCES = \
	%D%/analysis.c %D%/analysis.h \
	%D%/analysis_fields.c %D%/analysis_fields.h \
	%D%/analysis_jobs.c %D%/analysis_rules.c %D%/analysis_workflows.c \
	%D%/auth.c %D%/auth_account.c %D%/auth_admin.c %D%/auth_fields.c %D%/auth_internal.c \
	%D%/auth_login.c %D%/auth_password.c %D%/auth_signing.c %D%/auth.h %D%/auth_fields.h \
	%D%/cache.c %D%/cache.h \
	%D%/client.c %D%/client.h %D%/client_state.h %D%/client_tables.c \
	%D%/client_calls.c %D%/client_calls.h \
	%D%/client_events.c %D%/client_events.h \
	%D%/client_levels.c %D%/client_levels.h \
	%D%/client_link.c %D%/client_link.h \
	%D%/client_worker.c %D%/client_worker.h \
	%D%/descriptor.c %D%/descriptor.h %D%/descriptor_write.c \
	%D%/error.c %D%/error.h %D%/error.def \
	%D%/exposition.c %D%/exposition.h \
	%D%/fault.c %D%/fault.h \
	%D%/field.c %D%/field.h \
	%D%/format.c %D%/format.h \
	%D%/frame.c %D%/frame.h \
	%D%/http.c %D%/http_monitors.c %D%/http.h %D%/http_fields.h \
	%D%/json_keys.c %D%/json_number.c %D%/json_read.c %D%/json_text.c %D%/json_reader.h \
	%D%/json_write.c %D%/json.h \
	%D%/jwt.c %D%/jwt.h \
	%D%/job.c %D%/job.h \
	%D%/jobs.c %D%/jobs_dead.c %D%/jobs_families.c %D%/jobs_pull.c %D%/jobs_queues.c %D%/jobs_schedules.c %D%/jobs.h %D%/jobs_fields.h \
	%D%/levels.c %D%/levels.h \
	%D%/limiter.c %D%/limiter.h \
	%D%/mail.c %D%/mail.h \
	%D%/mdp.c %D%/mdp.h \
	%D%/metrics.c %D%/metrics_errors.c %D%/metrics_traces.c %D%/metrics.h \
	%D%/method.h \
	%D%/multipart.c %D%/multipart.h \
	%D%/pack.h \
	%D%/page.h \
	%D%/principal.c %D%/principal.h \
	%D%/schema_compile.c %D%/schema_keywords.c %D%/schema_keywords.h \
	%D%/schema_validate.c %D%/schema.h %D%/schema_tree.h \
	%D%/snapshot.c %D%/snapshot.h \
	%D%/spans.c %D%/spans.h \
	%D%/topic.c %D%/topic.h %D%/topic.def \
	%D%/trace.c %D%/trace.h \
	%D%/value.c %D%/value.h \
	%D%/value_pack.c %D%/value_pack.h \
	%D%/view.c %D%/view.h \
	%D%/webhook.c %D%/webhook_hooks.c %D%/webhook_subscriptions.c %D%/webhook.h \
	%D%/webhook_fields.h
