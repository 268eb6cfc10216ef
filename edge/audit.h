/* SPDX-License-Identifier: MPL-2.0
 *
 * audit - tells the log and the topic `audit` what administrators did
 *
 * The audit log that lasts is auth's, which writes what it does in the transaction that does it.
 * This is for the administration of all other services, and for what was refused.
 */
#ifndef SIGNALBOX_EDGE_AUDIT_H
#define SIGNALBOX_EDGE_AUDIT_H

#include "edge/exchange.h"

/* Whether the method is for administrators: its role says so. */
bool audit_is_due(const descriptor_method_t *method);

/* Tells about a request that has been answered, if it could have changed something. */
void audit_tell(const exchange_t *exchange);

#endif
