/* SPDX-License-Identifier: MPL-2.0
 *
 * notify - tells the service manager how the process is
 */
#include "config.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "actors/base/clock.h"
#include "actors/base/notify.h"
#include "actors/base/text.h"

/* A name that begins with '@' is in the abstract namespace (unix(7)): its first byte is 0. */
static bool s_address(struct sockaddr_un *address, socklen_t *size)
{
    const char *name = getenv("NOTIFY_SOCKET");
    if (!name || (name[0] != '/' && name[0] != '@') || strlen(name) >= sizeof address->sun_path)
        return false;
    *address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    memcpy(address->sun_path, name, strlen(name));
    if (name[0] == '@')
        address->sun_path[0] = '\0';
    *size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    return true;
}

/* Whether the manager heard it makes no difference to us. */
static void s_send(const char *text)
{
    struct sockaddr_un address;
    socklen_t size;
    if (!s_address(&address, &size))
        return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    ssize_t sent =
        sendto(fd, text, strlen(text), MSG_NOSIGNAL, (const struct sockaddr *)&address, size);
    (void)sent;
    close(fd);
}

void notify_ready(const char *status)
{
    char text[256];
    snprintf(text, sizeof text, "READY=1%s%s", status ? "\nSTATUS=" : "", status ? status : "");
    s_send(text);
}

void notify_reloading(void)
{
    char text[80];
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_us());
    s_send(text);
}

void notify_stopping(void)
{
    s_send("STOPPING=1\nSTATUS=Finishing what was begun");
}

/* WATCHDOG_PID names the process that is watched: not a child that inherited the variables. */
uint32_t notify_watchdog_ms(void)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    int64_t number;
    if (pid && (!text_to_i64(pid, strlen(pid), &number) || number != getpid()))
        return 0;
    if (!usec || !text_to_i64(usec, strlen(usec), &number) || number < 2000 ||
        number / 2000 > UINT32_MAX)
        return 0;
    return (uint32_t)(number / 2000);
}

void notify_watchdog(void)
{
    s_send("WATCHDOG=1");
}
