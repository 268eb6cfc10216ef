/* SPDX-License-Identifier: MPL-2.0
 *
 * socket - the broker's sockets: made, bound to a list of endpoints, closed
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <zmq.h>

#include "actors/base/text.h"
#include "broker/socket.h"

#define ENDPOINT_BYTES 4097  /* a setting has 4096 at most */
#define LINGER_MS      500   /* for the last answers at the end */
#define SEND_QUEUE     50000 /* messages a peer may have unread before it is blocked */

void *socket_open(void *zmq_context, int type, int64_t message_bytes)
{
    void *socket = zmq_socket(zmq_context, type);
    if (!socket)
        die("cannot make a socket: %s", zmq_strerror(zmq_errno()));
    const int one = 1, linger = LINGER_MS, queue = SEND_QUEUE;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_setsockopt(socket, ZMQ_SNDHWM, &queue, sizeof queue);
    zmq_setsockopt(socket, ZMQ_RCVHWM, &queue, sizeof queue);
    zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &message_bytes, sizeof message_bytes);
    zmq_setsockopt(socket, type == ZMQ_ROUTER ? ZMQ_ROUTER_MANDATORY : ZMQ_XPUB_VERBOSE, &one,
                   sizeof one);
    return socket;
}

/* An ipc socket file is made with the process's umask: for peers that are trusted by being able to
 * open it, only the owner may. */
static bool s_bind_one(void *socket, const char *endpoint, bool is_private)
{
    mode_t before = is_private ? umask(0177) : umask(0117);
    bool bound = zmq_bind(socket, endpoint) == 0;
    umask(before);
    return bound;
}

/* Whether somebody listens on an ipc endpoint: libzmq would put its own socket file in the place of
 * that one, and the other broker could not be reached any more. */
static bool s_is_taken(const char *endpoint)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    const char *path = endpoint + strlen("ipc://");
    if (!text_starts(endpoint, "ipc://") ||
        !text_copy(address.sun_path, sizeof address.sun_path, path, strlen(path)))
        return false;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool taken = fd >= 0 && (connect(fd, (struct sockaddr *)&address, sizeof address) == 0 ||
                             errno == EAGAIN); /* it has no room for one more */
    if (fd >= 0)
        close(fd);
    return taken;
}

/* Takes the next endpoint off a list; false behind the last. */
static bool s_next_endpoint(const char **list, char endpoint[ENDPOINT_BYTES])
{
    if (!**list)
        return false;
    size_t size = strcspn(*list, ",");
    text_copy(endpoint, ENDPOINT_BYTES, *list, size);
    *list += size + ((*list)[size] == ',');
    return true;
}

bool socket_bind(void *socket, const char *endpoints, bool is_private, bool allow_tcp, char *why,
                 size_t why_size)
{
    char endpoint[ENDPOINT_BYTES];
    while (s_next_endpoint(&endpoints, endpoint)) {
        bool is_local = text_starts(endpoint, "ipc://") || text_starts(endpoint, "inproc://");
        if (!is_local && is_private) {
            snprintf(why, why_size, "broker.trusted: '%s' must be ipc:// or inproc://", endpoint);
            return false;
        }
        if (!is_local && !allow_tcp) {
            snprintf(why, why_size,
                     "'%s' would carry everything unencrypted and unauthenticated: use ipc://, or "
                     "set broker.insecure = true on a network that is yours alone",
                     endpoint);
            return false;
        }
        if (s_is_taken(endpoint)) {
            snprintf(why, why_size,
                     "another broker listens on '%s': stop it first, or give this one a folder of "
                     "its own (--data)",
                     endpoint);
            return false;
        }
        if (!s_bind_one(socket, endpoint, is_private)) {
            snprintf(why, why_size, "cannot bind '%s': %s", endpoint, zmq_strerror(zmq_errno()));
            return false;
        }
    }
    return true;
}

/* Closing alone leaves an inproc name taken until the reaper has been by. */
void socket_close(void *socket, const char *endpoints)
{
    char endpoint[ENDPOINT_BYTES];
    while (s_next_endpoint(&endpoints, endpoint))
        zmq_unbind(socket, endpoint);
    zmq_close(socket);
}
