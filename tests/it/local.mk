# SPDX-License-Identifier: MPL-2.0
#
# Whole processes, driven by Python scripts that print TAP.
check_PROGRAMS += %D%/edge_host
