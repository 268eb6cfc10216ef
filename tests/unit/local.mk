# SPDX-License-Identifier: MPL-2.0
#
# %D%/<folder>_<file>_test.c tests <folder>/<file>.c

UNIT_TESTS = \
	%D%/analysis_canonical_test \
	%D%/analysis_catalog_test \
	%D%/analysis_diff_test \
	%D%/analysis_digest_test \
	%D%/analysis_docs_test \
	%D%/analysis_drawing_test \
	%D%/analysis_fingerprints_test \
	%D%/analysis_graph_test \
	%D%/analysis_hostile_test \
	%D%/analysis_layout_test \
	%D%/analysis_order_test \
	%D%/analysis_overlay_test \
	%D%/analysis_references_test \
	%D%/analysis_result_test \
	%D%/analysis_rules_test \
	%D%/analysis_sarif_test \
	%D%/analysis_score_test \
	%D%/analysis_secret_test \
	%D%/analysis_sketch_test \
	%D%/analysis_squeeze_test \
	%D%/base_crash_test \
	%D%/base_kit_test \
	%D%/base_host_test \
	%D%/base_log_test \
	%D%/base_settings_test \
	%D%/base_slots_test \
	%D%/base_stats_test \
	%D%/base_text_test \
	%D%/base_wheel_test \
	%D%/bus_events_test \
	%D%/bus_registry_test \
	%D%/bus_requests_test \
	%D%/cache_actor_test \
	%D%/cache_epochs_test \
	%D%/cache_lru_test \
	%D%/cache_record_test \
	%D%/cache_redis_test \
	%D%/edge_address_test \
	%D%/edge_counters_test \
	%D%/edge_flags_test \
	%D%/edge_guard_test \
	%D%/edge_negotiate_test \
	%D%/edge_openapi_test \
	%D%/edge_path_test \
	%D%/edge_probe_test \
	%D%/edge_problem_test \
	%D%/edge_registry_test \
	%D%/edge_routes_test \
	%D%/edge_shelf_test \
	%D%/edge_signature_test \
	%D%/edge_tally_test \
	%D%/edge_translate_test \
	%D%/edge_watch_test \
	%D%/jobs_cron_test \
	%D%/jobs_schedule_test \
	%D%/jobs_verdict_test \
	%D%/jobs_zone_test \
	%D%/limiter_engine_test \
	%D%/limiter_hot_test \
	%D%/limiter_oracle_test \
	%D%/limiter_outage_test \
	%D%/limiter_peers_test \
	%D%/limiter_window_test \
	%D%/metrics_alerts_test \
	%D%/metrics_board_test \
	%D%/metrics_errors_test \
	%D%/metrics_exporter_test \
	%D%/metrics_otlp_test \
	%D%/metrics_rules_test \
	%D%/metrics_sentry_test \
	%D%/metrics_summary_test \
	%D%/metrics_traces_test \
	%D%/monitor_anomaly_test \
	%D%/outbound_fence_test \
	%D%/outbound_hosts_test \
	%D%/outbound_signature_test \
	%D%/outbound_transfer_test \
	%D%/outbound_url_test \
	%D%/proto_descriptor_test \
	%D%/proto_exposition_test \
	%D%/proto_frame_test \
	%D%/proto_json_test \
	%D%/proto_jwt_test \
	%D%/proto_rows_test \
	%D%/proto_schema_test \
	%D%/proto_snapshot_test \
	%D%/proto_spans_test \
	%D%/proto_trace_test \
	%D%/proto_value_test \
	%D%/runtime_actor_test \
	%D%/runtime_breaker_test \
	%D%/runtime_wishes_test \
	%D%/runtime_cursor_test \
	%D%/runtime_faults_test \
	%D%/runtime_redis_test \
	%D%/runtime_redis_url_test

check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

EXTRA_DIST += %D%/analysis_drawn.h %D%/analysis_kit.h %D%/cache_kit.h %D%/limiter_kit.h
include tests/unit/database.mk
include tests/unit/analysis_service.mk
include tests/unit/auth_service.mk
include tests/unit/jobs_service.mk
include tests/unit/jobs_schedules.mk
include tests/unit/outside_service.mk
