# SPDX-License-Identifier: MPL-2.0
EXTRA_DIST += %D%/accounts.md %D%/adr %D%/baselines.md %D%/examples %D%/rules %D%/caching.md %D%/configuration.md \
	%D%/flags.md %D%/guide.md %D%/jobs.md %D%/limits.md %D%/monitors.md %D%/openapi.json \
	%D%/operations.md %D%/overview.md %D%/performance.md %D%/protocol.md %D%/python.md %D%/schedules.md \
	%D%/signing.md %D%/tracing.md %D%/webhooks.md
dist_man_MANS += %D%/signalbox.1

# Writes anew what the documents repeat of the code; `make check` fails when they differ.
.PHONY: update-docs
update-docs: signalbox tests/unit/analysis_docs_test tests/unit/metrics_rules_test
	@for update in "$(PYTHON) $(srcdir)/tests/it/docs_generated.py" \
		./tests/unit/analysis_docs_test ./tests/unit/metrics_rules_test; do \
		said=`srcdir=$(srcdir) UPDATE_DOCS=1 $$update` || \
			{ printf '%s\n' "$$said" | grep -A 3 '^not ok'; exit 1; }; \
	done
