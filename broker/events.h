/* SPDX-License-Identifier: MPL-2.0
 *
 * events - publishing, and the last values of retained topics; private to broker/
 *
 * A subscriber's joining is answered by sending the retained values below its prefix once more to
 * all subscribers, marked as retained; whoever has seen them drops them by (publisher, sequence).
 * Joins within RETAINED_DELAY_MS share one such round, so that a crowd that reconnects costs one.
 * docs/adr/ tells why not XPUB's last-value mode.
 */
#ifndef SIGNALBOX_BROKER_EVENTS_H
#define SIGNALBOX_BROKER_EVENTS_H

#include "broker/peer.h"

#define RETAINED_DELAY_MS 20

/* A peer's event: checks the topic and header, keeps the value when `frame` says so, sends it on.
 * The parcel is [event header][body] and is consumed. */
void events_publish(broker_t *broker, const frame_t *frame, parcel_t *parcel);

/* An event of the broker's own. */
void events_publish_own(broker_t *broker, const char *topic, uint64_t sequence, bool retain,
                        const buf_t *body);

/* Reads the XPUB's subscriptions. */
void events_read_subscriptions(broker_t *broker);

/* Sends the retained values that are due; milliseconds until the next are due, at most `most`. */
uint32_t events_send_retained(broker_t *broker, uint32_t most);

/* Answers a SNAPSHOT: each retained value below the prefix as a PARTIAL, then FINAL. */
void events_snapshot(broker_t *broker, peer_t *peer, const frame_t *frame);

void events_free(broker_t *broker);

#endif
