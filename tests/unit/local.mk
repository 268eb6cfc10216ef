# SPDX-License-Identifier: MPL-2.0
#
# %D%/<folder>_<file>_test.c tests <folder>/<file>.c

UNIT_TESTS = \
	%D%/base_slots_test \
	%D%/base_text_test \
	%D%/base_wheel_test \
	%D%/bus_test \
	%D%/proto_json_test

check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
