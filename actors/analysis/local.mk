# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libanalysis.a
SB_PARTS += %D%/libanalysis.a

%C%_libanalysis_a_SOURCES = \
	%D%/address.c %D%/address.h \
	%D%/assess.c %D%/assess.h \
	%D%/analyser.c %D%/analyser.h \
	%D%/analysis.c %D%/analysis.h \
	%D%/archive.c %D%/archive.h \
	%D%/canonical.c %D%/canonical.h \
	%D%/catalog.c %D%/catalog.h \
	%D%/catalog_asl.c %D%/catalog_generic.c %D%/catalog_n8n.c %D%/catalog_nodered.c \
	%D%/diff.c %D%/diff.h \
	%D%/digest.c %D%/digest.h \
	%D%/facts.c %D%/facts.h \
	%D%/finding.c %D%/finding.h \
	%D%/fingerprints.c %D%/fingerprints.h \
	%D%/graph.c %D%/graph.h \
	%D%/later.c %D%/later.h \
	%D%/layout.c %D%/layout.h \
	%D%/load_asl.c %D%/load_generic.c %D%/load_n8n.c %D%/load_nodered.c \
	%D%/mermaid.c %D%/mermaid.h \
	%D%/model.c %D%/model.h \
	%D%/names.c %D%/names.h \
	%D%/news.c %D%/news.h \
	%D%/on_analyses.c %D%/on_batch.c %D%/on_exports.c %D%/on_refetch.c %D%/on_rules.c %D%/on_submit.c %D%/on_workflows.c \
	%D%/overlay.c %D%/overlay.h \
	%D%/ran.c %D%/ran.h \
	%D%/references.c %D%/references.h \
	%D%/result.c \
	%D%/rule.c %D%/rule.h \
	%D%/rules_asl.c %D%/rules_branching.c %D%/rules_expressions.c %D%/rules_injection.c \
	%D%/rules_maintainability.c %D%/rules_nodered.c %D%/rules_performance.c \
	%D%/rules_reliability.c %D%/rules_security.c %D%/rules_structure.c \
	%D%/sarif.c %D%/sarif.h \
	%D%/score.c %D%/score.h \
	%D%/secret.c %D%/secret.h \
	%D%/service.c %D%/service_reply.c %D%/service.h \
	%D%/sketch.c %D%/sketch.h \
	%D%/slice.c %D%/slice.h \
	%D%/squeeze.c %D%/squeeze.h \
	%D%/store.c %D%/store_add.c %D%/store_baseline.c %D%/store_erase.c %D%/store_lists.c \
	%D%/store_submissions.c %D%/store.h \
	%D%/submission.c %D%/submission.h \
	%D%/svg.c %D%/svg.h \
	%D%/texts.c %D%/texts.h \
	%D%/work.c %D%/work.h

%C%_sql = %D%/sql/0001_history.sqlite.sql %D%/sql/0001_history.postgres.sql \
	%D%/sql/0002_erasures.sqlite.sql %D%/sql/0002_erasures.postgres.sql \
	%D%/sql/0003_submissions.sqlite.sql %D%/sql/0003_submissions.postgres.sql \
	%D%/sql/0004_outbox.sqlite.sql %D%/sql/0004_outbox.postgres.sql \
	%D%/sql/0005_baseline.sqlite.sql %D%/sql/0005_baseline.postgres.sql \
	%D%/sql/0006_keys.sqlite.sql %D%/sql/0006_keys.postgres.sql
EXTRA_DIST += $(%C%_sql)
CLEANFILES += %D%/migrations.c
nodist_%C%_libanalysis_a_SOURCES = %D%/migrations.c
%D%/migrations.c: $(%C%_sql) $(SB_EMBED)
	$(SB_EMBED_SQL) -v symbol=analysis_migrations $(%C%_sql) $(SB_EMBED_TO)
