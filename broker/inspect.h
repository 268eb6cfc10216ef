/* SPDX-License-Identifier: MPL-2.0
 *
 * inspect - what the broker answers itself: $SRV and $BROKER; private to broker/
 *
 *     $SRV.PING    {}                    {broker, services}: who is there
 *     $SRV.INFO    {service?, instance?} versions, methods, instances with credit and load
 *     $SRV.STATS   {service?, instance?} requests, failures, times; the broker's own counters
 *     $BROKER.DRAIN {instance}           tells the instance to finish and leave
 *
 * The shape follows NATS' services (ADR-32), which operators know.
 */
#ifndef SIGNALBOX_BROKER_INSPECT_H
#define SIGNALBOX_BROKER_INSPECT_H

#include "broker/request.h"

/* Answers the request when it is for the broker; false when it is not. */
bool inspect_take(broker_t *broker, const request_in_t *in);

#endif
