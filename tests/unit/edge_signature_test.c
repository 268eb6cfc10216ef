/* SPDX-License-Identifier: MPL-2.0
 *
 * The header X-Signature: what is one, and what is not.
 */
#include "config.h"

#include "edge/signature.h"
#include "tests/tap.h"

#define MAC "d924fb7b33d63a5ca66451f52f2e61beb44749c811c8a622b83a224ebfc670f8"
#define N   "4f1c9a0be2d35678"

static void test_good(void)
{
    static const char *const headers[] = {
        "t=1767225600,n=" N ",v1=" MAC,
        "v1=" MAC ",n=" N ",t=1767225600",
        " t=1767225600, n=" N ", v1=" MAC " ",
    };
    signature_t signature;
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        ok(signature_read(&signature, headers[i]));
        is_int(signature.time_s, 1767225600);
        is_text(signature.nonce, N);
        is_text(signature.mac, MAC);
    }
}

static void test_bad(void)
{
    static const char *const headers[] = {
        "",
        ",",
        "t=1767225600",
        "t=1767225600,n=" N,
        "n=" N ",v1=" MAC,
        "t=1767225600,v1=" MAC,
        "t=,n=" N ",v1=" MAC,
        "t=-1,n=" N ",v1=" MAC,
        "t=1767225600000,n=" N ",v1=" MAC,
        "t=1 7,n=" N ",v1=" MAC,
        "t=1767225600,n=4f1c9a0be2d3567,v1=" MAC,
        "t=1767225600,n=" N N N N N ",v1=" MAC,
        "t=1767225600,n=" N "=,v1=" MAC,
        "t=1767225600,n=" N ",v1=" MAC "0",
        "t=1767225600,n=" N ",v1=D924fb7b33d63a5ca66451f52f2e61beb44749c811c8a622b83a224ebfc670f8",
        "t=1767225600,n=" N ",v2=" MAC,
        "t=1767225600,n=" N ",v1=" MAC ",t=1767225600",
        "t=1767225600,n=" N ",v1=" MAC ",v1=" MAC,
        "t=1767225600;n=" N ";v1=" MAC,
        "t=1767225600,n=" N ",v1=" MAC ",more",
    };
    signature_t signature;
    for (size_t i = 0; i < COUNT_OF(headers); i++)
        ok_named(!signature_read(&signature, headers[i]), headers[i]);
}

TESTS({ "good", test_good }, { "bad", test_bad })
