/* SPDX-License-Identifier: MPL-2.0
 *
 * settings - what can be set about the broker
 */
#include "config.h"

#include "broker/broker.h"

#define ROW(field) offsetof(broker_settings_t, field)

const setting_t broker_setting_rows[] = {
    { "name", SETTING_TEXT, ROW(name), .max = 50,
      .about = "Name of this broker; made up when empty." },
    { "requests", SETTING_TEXT, ROW(requests),
      .about = "Endpoints for services and clients, separated by commas; empty for bus.sock in the "
               "data folder." },
    { "trusted", SETTING_TEXT, ROW(trusted),
      .about = "Endpoints, ipc or inproc only, whose peers may say on whose behalf they ask: the "
               "edges; empty for edge.sock in the data folder." },
    { "events", SETTING_TEXT, ROW(events),
      .about = "Endpoints subscribers connect to; empty for events.sock in the data folder." },
    { "insecure", SETTING_BOOL, ROW(insecure), .preset = "false",
      .about = "Accept tcp:// endpoints although nothing on them is encrypted or authenticated." },
    { "heartbeat_ms", SETTING_INT, ROW(heartbeat_ms), "1000", 50, 60000, "ms",
      .about = "Time between heartbeats; four missed ones are a loss." },
    { "probe_ms", SETTING_INT, ROW(probe_ms), "250", 10, 60000, "ms",
      .about = "Time between heartbeats to an instance that is at work." },
    { "mdp_heartbeat_ms", SETTING_INT, ROW(mdp_heartbeat_ms), "2500", 50, 600000, "ms",
      .about = "Heartbeat interval MDP workers are configured with." },
    { "mdp_credit", SETTING_INT, ROW(mdp_credit), "1", 1, 10000, NULL,
      .about = "Requests an MDP/0.2 worker is given at once; the protocol's own rule is one." },
    { "deadline_ms", SETTING_INT, ROW(deadline_ms), "30000", 1, 600000, "ms",
      .about = "Deadline of a request when neither it nor its method names one." },
    { "message_bytes", SETTING_INT, ROW(message_bytes), "33554432", 4096, 1073741824, "bytes",
      .about = "Largest message, all its frames together." },
    { "peers", SETTING_INT, ROW(peers), "16384", 2, 1000000, NULL,
      .about = "Connections known at once." },
    { "services", SETTING_INT, ROW(services), "1024", 1, 100000, NULL,
      .about = "Services known at once." },
    { "instances", SETTING_INT, ROW(instances), "256", 1, 10000, NULL,
      .about = "Instances of one service." },
    { "pending", SETTING_INT, ROW(pending), "200000", 1, 10000000, NULL,
      .about = "Requests in the broker at once." },
    { "outstanding", SETTING_INT, ROW(outstanding), "50000", 1, 10000000, NULL,
      .about = "Unanswered requests of one client." },
    { "queue_length", SETTING_INT, ROW(queue_length), "10000", 0, 10000000, NULL,
      .about = "Requests that may wait for one service." },
    { "queue_bytes", SETTING_INT, ROW(queue_bytes), "67108864", 0, 1099511627776, "bytes",
      .about = "Bytes that may wait for one service." },
    { "retained", SETTING_INT, ROW(retained), "4096", 0, 1000000, NULL,
      .about = "Topics that keep their last value." },
    { "retained_bytes", SETTING_INT, ROW(retained_bytes), "67108864", 0, 1099511627776, "bytes",
      .about = "Bytes of retained values." },
    { "snapshot_ms", SETTING_INT, ROW(snapshot_ms), "5000", 100, 60000, "ms",
      .about = "How often the broker publishes what it counts." },
    { 0 },
};

#undef ROW
