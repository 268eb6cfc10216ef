/* SPDX-License-Identifier: MPL-2.0
 *
 * The rows of all services: what holds for every method that is for administrators.
 */
#include "config.h"

#include <string.h>

#include "proto/analysis.h"
#include "proto/auth.h"
#include "proto/cache.h"
#include "proto/http.h"
#include "proto/jobs.h"
#include "proto/limiter.h"
#include "proto/mail.h"
#include "proto/webhook.h"
#include "tests/tap.h"

static const service_t *const s_services[] = {
    &analysis_service, &auth_service,    &cache_service, &http_service,
    &jobs_service,     &limiter_service, &mail_service,  &webhook_service,
};

static bool s_administers(const method_t *method)
{
    return method->role && (strcmp(method->role, "admin") == 0 || strcmp(method->role, "ops") == 0);
}

/* A key that was made for something else administers nothing, whoever's it is; and what changes
 * something over HTTP is signed, where the key signs. */
static void test_administration(void)
{
    size_t count = 0;
    for (size_t i = 0; i < COUNT_OF(s_services); i++)
        for (const method_t *const *at = s_services[i]->methods; *at; at++) {
            const method_t *method = *at;
            if (!s_administers(method))
                continue;
            count++;
            ok_named(method->scope && strcmp(method->scope, "admin") == 0, method->name);
            ok_named(method->sensitive || !method->http.route ||
                         strncmp(method->http.route, "GET ", 4) == 0,
                     method->name);
        }
    ok(count > 10);
}

TESTS({ "administration", test_administration })
