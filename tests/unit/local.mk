# SPDX-License-Identifier: MPL-2.0
#
# %D%/<folder>_<file>_test.c tests <folder>/<file>.c

UNIT_TESTS = \
	%D%/analysis_canonical_test \
	%D%/analysis_catalog_test \
	%D%/analysis_docs_test \
	%D%/analysis_graph_test \
	%D%/analysis_hostile_test \
	%D%/analysis_order_test \
	%D%/analysis_references_test \
	%D%/analysis_result_test \
	%D%/analysis_rules_test \
	%D%/analysis_score_test \
	%D%/analysis_secret_test \
	%D%/base_slots_test \
	%D%/base_text_test \
	%D%/base_wheel_test \
	%D%/proto_json_test

check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

EXTRA_DIST += %D%/analysis_kit.h
