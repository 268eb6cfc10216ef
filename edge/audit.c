/* SPDX-License-Identifier: MPL-2.0
 *
 * audit - tells the log and the topic `audit` what administrators did
 */
#include "config.h"

#include <string.h>

#include "actors/base/log.h"
#include "edge/audit.h"
#include "edge/state.h"
#include "proto/topic.h"

bool audit_is_due(const descriptor_method_t *method)
{
    return method->role && (strcmp(method->role, "admin") == 0 || strcmp(method->role, "ops") == 0);
}

void audit_tell(const exchange_t *x)
{
    if (!x->route || !audit_is_due(x->route->method) || x->verb == HTTP_GET || x->verb == HTTP_HEAD)
        return;
    const principal_t *principal = &x->identity->principal;
    char address[ADDRESS_TEXT_SIZE];
    buf_t event = { 0 };
    pack_t pack;
    address_text(&x->address, address);
    pack_init(&pack, &event);
    pack_map(&pack, 10);
    pack_pair_text(&pack, "service", x->route->descriptor->service);
    pack_pair_text(&pack, "method", x->route->method->name);
    pack_pair_text(&pack, "path", x->target);
    pack_pair_int(&pack, "status", x->status);
    pack_pair_text(&pack, "account", principal->account);
    pack_pair_text(&pack, "user", principal->user);
    pack_pair_text(&pack, "key_id", x->identity->key_id);
    pack_pair_text(&pack, "address", address);
    pack_pair_text(&pack, "request_id", x->request_id);
    pack_pair_int(&pack, "at_ms", clock_wall_ms());
    client_publish(x->edge->bus, topic_row(TOPIC_AUDIT)->prefix, false, &event);
    LOG(LOG_INFO, "audit", LOG_TEXT("service", x->route->descriptor->service),
        LOG_TEXT("method", x->route->method->name), LOG_TEXT("path", x->target),
        LOG_INT("status", x->status), LOG_TEXT("user", principal->user),
        LOG_TEXT("key_id", x->identity->key_id), LOG_TEXT("address", address));
}
