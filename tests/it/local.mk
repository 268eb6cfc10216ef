# SPDX-License-Identifier: MPL-2.0
#
# Whole processes, driven by Python scripts that print TAP.
check_PROGRAMS += %D%/edge_host

EDGE_TESTS = \
	%D%/edge_crowd.py \
	%D%/edge_drain.py \
	%D%/edge_events.py \
	%D%/edge_http.py \
	%D%/edge_malformed.py \
	%D%/edge_openapi.py \
	%D%/edge_proxies.py

TESTS += $(EDGE_TESTS) %D%/analyze_cli.py
EXTRA_DIST += $(EDGE_TESTS) %D%/analyze_cli.py tests/kit/parts.py
