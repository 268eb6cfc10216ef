# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libwebhook.a
SB_PARTS += %D%/libwebhook.a

%C%_libwebhook_a_SOURCES = \
	%D%/on_deliver.c \
	%D%/post.c %D%/post.h \
	%D%/service.c %D%/webhook.h
