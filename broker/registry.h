/* SPDX-License-Identifier: MPL-2.0
 *
 * registry - tells subscribers which services live; private to broker/
 */
#ifndef SIGNALBOX_BROKER_REGISTRY_H
#define SIGNALBOX_BROKER_REGISTRY_H

#include "broker/state.h"

/* Publishes the service's present state on `registry.<service>.<broker>`, retained. Services
 * without a descriptor (MDP workers) are not published: there is nothing to route to over HTTP. */
void registry_publish(broker_t *broker, broker_service_t *service);

/* Tells that the broker knows the service no more: an empty body, which takes the retained value
 * back. */
void registry_forget(broker_t *broker, broker_service_t *service);

#endif
