/* SPDX-License-Identifier: MPL-2.0
 *
 * client_worker - the worker's side of the protocol
 */
#include "config.h"

#include <string.h>

#include "actors/base/clock.h"
#include "proto/client_worker.h"
#include "proto/pack.h"

#define WORKER_RETRY_MS 1000 /* after a refused registration */

/* ---- registering ---------------------------------------------------------------------------- */

static void s_send_ready(client_t *client, link_t *link)
{
    const client_worker_t *worker = &client->worker;
    buf_t body = { 0 };
    pack_t pack;
    zmq_msg_t part;
    pack_init(&pack, &body);
    pack_map(&pack, worker->descriptor_size ? 7 : 6);
    pack_pair_text(&pack, "instance", worker->instance);
    pack_pair_text(&pack, "version", worker->version);
    pack_pair_int(&pack, "credit", client->is_draining ? 0 : client->credit);
    pack_pair_int(&pack, "weight", worker->weight);
    pack_pair_int(&pack, "boot", (int64_t)worker->boot);
    pack_pair_int(&pack, "heartbeat_ms", client->settings->heartbeat_ms);
    if (worker->descriptor_size) {
        pack_text(&pack, "descriptor");
        pack_bytes(&pack, worker->descriptor, worker->descriptor_size);
    }
    link_take(&part, &body);
    frame_t frame = { .command = FRAME_READY };
    frame_set_service(&frame, worker->service);
    link_send(client, link, &frame, &part, 1);
}

void worker_tick(client_t *client, link_t *link)
{
    if (!link->ready_at_ms || client->now_ms < link->ready_at_ms)
        return;
    link->ready_at_ms = 0;
    s_send_ready(client, link);
}

static void s_tell(client_t *client, const failure_t *failure)
{
    if (client->worker.on_registered)
        client->worker.on_registered(client->worker.arg, failure);
}

void worker_registered(client_t *client, link_t *link)
{
    link->is_registered = true;
    s_tell(client, &(failure_t){ .code = ERROR_NONE });
}

void worker_refused(client_t *client, link_t *link, const frame_t *frame, zmq_msg_t *parts,
                    size_t count)
{
    failure_t failure;
    failure_read(&failure, frame->detail, count ? zmq_msg_data(&parts[0]) : "",
                 count ? zmq_msg_size(&parts[0]) : 0, NULL);
    link->ready_at_ms = client->now_ms + WORKER_RETRY_MS;
    s_tell(client, &failure);
}

/* ---- requests ------------------------------------------------------------------------------- */

void worker_take(client_t *client, const link_t *link, const frame_t *frame, zmq_msg_t *header,
                 zmq_msg_t *parts, size_t count)
{
    bool has_principal = frame->flags & FRAME_PRINCIPAL;
    if (!client->worker.service || count < has_principal) {
        client_count(client, CLIENT_BAD_MESSAGES);
        return;
    }
    worker_request_t *request = mem_alloc(sizeof *request);
    request->link = link_index(client, link);
    request->connection = link->connection;
    request->received_us = clock_us();
    zmq_msg_init(&request->header);
    zmq_msg_init(&request->principal);
    zmq_msg_init(&request->body);
    zmq_msg_move(&request->header, header);
    if (has_principal)
        zmq_msg_move(&request->principal, &parts[0]);
    if (count > has_principal)
        zmq_msg_move(&request->body, &parts[has_principal]);
    /* a small message lies inside its zmq_msg_t: the names are where it was moved to */
    bool good = frame_decode(&request->frame, zmq_msg_data(&request->header),
                             zmq_msg_size(&request->header));
    insist(good);
    client->worker.on_request(client->worker.arg, request);
}

void worker_request_destroy(worker_request_t **self_p)
{
    worker_request_t *self = *self_p;
    *self_p = NULL;
    if (!self)
        return;
    zmq_msg_close(&self->header);
    zmq_msg_close(&self->principal);
    zmq_msg_close(&self->body);
    mem_free(self);
}

void worker_cancelled(client_t *client, const link_t *link, const frame_t *frame)
{
    if (client->worker.on_cancel)
        client->worker.on_cancel(client->worker.arg, link_index(client, link), frame->id);
}

void worker_told_to_drain(client_t *client, link_t *link)
{
    link->is_drained = true;
    if (client->worker.on_drain)
        client->worker.on_drain(client->worker.arg);
}

/* ---- answers -------------------------------------------------------------------------------- */

typedef struct {
    order_t order;
    uint32_t link, connection;
    frame_t frame;
    zmq_msg_t body;
} reply_order_t;

static void s_run_reply(client_t *client, order_t *order)
{
    reply_order_t *reply = CONTAINER_OF(order, reply_order_t, order);
    link_t *link = &client->links[reply->link];
    if (link->connection == reply->connection) {
        link_send(client, link, &reply->frame, &reply->body, 1);
    } else { /* the broker that asked has given the request up with the connection */
        client_count(client, CLIENT_LATE_ANSWERS);
        zmq_msg_close(&reply->body);
    }
    mem_free(reply);
}

static void s_reply(client_t *client, const worker_request_t *request, frame_t frame, buf_t *body)
{
    reply_order_t *reply = mem_alloc(sizeof *reply);
    reply->link = request->link;
    reply->connection = request->connection;
    reply->frame = frame;
    reply->frame.id = request->frame.id;
    link_take(&reply->body, body);
    client_order(client, &reply->order, s_run_reply);
}

void client_reply(client_t *self, const worker_request_t *request, uint8_t command, uint16_t status,
                  buf_t *body)
{
    s_reply(self, request, (frame_t){ .command = command, .detail = status }, body);
}

void client_reply_failure(client_t *self, const worker_request_t *request, const failure_t *failure)
{
    const error_row_t *row = error_row(failure->code);
    buf_t body = { 0 };
    pack_t pack;
    pack_init(&pack, &body);
    failure_write(failure, &pack);
    s_reply(self, request,
            (frame_t){ .command = FRAME_ERROR,
                       .detail = row->bus_status,
                       .flags = row->retry ? FRAME_RETRYABLE : 0 },
            &body);
}

/* ---- leaving, and credit -------------------------------------------------------------------- */

typedef struct {
    order_t order;
    frame_t frame;
} tell_order_t;

static void s_tell_all(client_t *client, const frame_t *frame)
{
    for (uint32_t i = 0; i < client->link_count; i++)
        if (client->links[i].is_registered)
            link_send(client, &client->links[i], frame, NULL, 0);
}

static void s_run_drain(client_t *client, order_t *order)
{
    client->is_draining = true;
    s_tell_all(client, &(frame_t){ .command = FRAME_DRAIN });
    mem_free(CONTAINER_OF(order, tell_order_t, order));
}

void client_drain(client_t *self)
{
    tell_order_t *tell = mem_zeroed(sizeof *tell);
    client_order(self, &tell->order, s_run_drain);
}

static void s_run_credit(client_t *client, order_t *order)
{
    tell_order_t *tell = CONTAINER_OF(order, tell_order_t, order);
    client->credit = tell->frame.detail;
    s_tell_all(client, &tell->frame);
    mem_free(tell);
}

void client_set_credit(client_t *self, uint32_t credit)
{
    tell_order_t *tell = mem_zeroed(sizeof *tell);
    tell->frame = (frame_t){ .command = FRAME_CREDIT, .detail = credit };
    client_order(self, &tell->order, s_run_credit);
}

void worker_say_goodbye(client_t *client)
{
    for (uint32_t i = 0; i < client->link_count; i++)
        link_send(client, &client->links[i], &(frame_t){ .command = FRAME_DISCONNECT }, NULL, 0);
}
