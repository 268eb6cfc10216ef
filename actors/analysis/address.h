/* SPDX-License-Identifier: MPL-2.0
 *
 * address - the host in a URL, and whether it is out on the Internet
 */
#ifndef SIGNALBOX_ANALYSIS_ADDRESS_H
#define SIGNALBOX_ANALYSIS_ADDRESS_H

#include "actors/analysis/slice.h"

/* The host of "scheme://[user@]host[:port]/...", empty when the text is no such, or when the host
 * is put together by an expression. A leading "=" (n8n's mark of an expression) is passed over. */
slice_t address_host(slice_t url);

/* Whether a host is plainly a public one: a name with a dot, or an address, that is not of a
 * private, loopback or link-local range (RFC 1918, 5735, 3927) nor reserved for documents (RFC
 * 2606, 6761). */
bool address_is_public(slice_t host);

#endif
