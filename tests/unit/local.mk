# SPDX-License-Identifier: MPL-2.0
#
# %D%/<folder>_<file>_test.c tests <folder>/<file>.c

UNIT_TESTS = \
	%D%/base_kit_test \
	%D%/base_log_test \
	%D%/base_settings_test \
	%D%/base_slots_test \
	%D%/base_text_test \
	%D%/base_wheel_test \
	%D%/bus_test \
	%D%/edge_guard_test \
	%D%/edge_negotiate_test \
	%D%/edge_openapi_test \
	%D%/edge_path_test \
	%D%/edge_problem_test \
	%D%/edge_prometheus_test \
	%D%/edge_registry_test \
	%D%/edge_routes_test \
	%D%/edge_translate_test \
	%D%/proto_descriptor_test \
	%D%/proto_frame_test \
	%D%/proto_json_test \
	%D%/proto_schema_test \
	%D%/proto_value_test \
	%D%/runtime_breaker_test

check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

include tests/unit/database.mk
