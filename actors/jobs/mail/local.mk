# SPDX-License-Identifier: MPL-2.0
noinst_LIBRARIES += %D%/libmail.a
SB_PARTS += %D%/libmail.a

%C%_libmail_a_SOURCES = \
	%D%/message.c %D%/message.h \
	%D%/on_send.c \
	%D%/service.c %D%/mail.h
