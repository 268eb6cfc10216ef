# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libanalysis.a
SB_PARTS += %D%/libanalysis.a

%C%_libanalysis_a_SOURCES = \
	%D%/address.c %D%/address.h \
	%D%/analyser.c %D%/analyser.h \
	%D%/analysis.c %D%/analysis.h \
	%D%/canonical.c %D%/canonical.h \
	%D%/catalog.c %D%/catalog.h \
	%D%/catalog_asl.c %D%/catalog_generic.c %D%/catalog_n8n.c %D%/catalog_nodered.c \
	%D%/facts.c %D%/facts.h \
	%D%/finding.c %D%/finding.h \
	%D%/graph.c %D%/graph.h \
	%D%/load_asl.c %D%/load_generic.c %D%/load_n8n.c %D%/load_nodered.c \
	%D%/model.c %D%/model.h \
	%D%/names.c %D%/names.h \
	%D%/ran.c %D%/ran.h \
	%D%/references.c %D%/references.h \
	%D%/result.c \
	%D%/rule.c %D%/rule.h \
	%D%/rules_asl.c %D%/rules_branching.c %D%/rules_expressions.c %D%/rules_injection.c \
	%D%/rules_maintainability.c %D%/rules_nodered.c %D%/rules_performance.c \
	%D%/rules_reliability.c %D%/rules_security.c %D%/rules_structure.c \
	%D%/score.c %D%/score.h \
	%D%/secret.c %D%/secret.h \
	%D%/slice.c %D%/slice.h \
	%D%/texts.c %D%/texts.h \
	%D%/work.c %D%/work.h
