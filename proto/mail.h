/* SPDX-License-Identifier: MPL-2.0
 *
 * mail - the contract of the service that sends mails
 *
 * What the server refuses for good (5yz) is a failure that allows no retry, what it refuses for now
 * (4yz) one that does (RFC 5321, 4.2.1).
 */
#ifndef SIGNALBOX_PROTO_MAIL_H
#define SIGNALBOX_PROTO_MAIL_H

#include "proto/method.h"

#define MAIL_RECIPIENTS_MAX 50
#define MAIL_TEXT_MAX       65536 /* code points of each of text and html */

extern const method_t mail_send;

extern const service_t mail_service;

#endif
