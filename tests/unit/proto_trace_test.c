/* SPDX-License-Identifier: MPL-2.0
 *
 * The headers of W3C Trace Context, case by case from its text (level 1, sections 3.2 and 3.3).
 */
#include "config.h"

#include "actors/base/buf.h"
#include "proto/trace.h"
#include "tests/tap.h"

#define ID     "0af7651916cd43dd8448eb211c80319c"
#define SPAN   "b7ad6b7169203331"
#define PARENT "00-" ID "-" SPAN "-01"

static void test_parents(void)
{
    static const struct {
        const char *text;
        bool good;
        uint8_t flags;
    } rows[] = {
        { PARENT, true, 1 },
        { "00-" ID "-" SPAN "-00", true, 0 },
        { "00-" ID "-" SPAN "-ff", true, 1 }, /* flags nobody knows are not passed on */
        { "00-" ID "-" SPAN "-02", true, 0 },
        { "", false, 0 },
        { "00", false, 0 },
        { "00-" ID "-" SPAN, false, 0 },
        { "00-" ID "-" SPAN "-", false, 0 },
        { "00-" ID "-" SPAN "-1", false, 0 },
        { "00-" ID "-" SPAN "-001", false, 0 },
        { "0-" ID "-" SPAN "-01", false, 0 },
        { "000-" ID "-" SPAN "-01", false, 0 },
        { "00-" ID "0-" SPAN "-01", false, 0 },
        { "00-0" ID "-" SPAN "-01", false, 0 },
        { "00-0af7651916cd43dd8448eb211c80319-" SPAN "-01", false, 0 },
        { "00-" ID "-" SPAN "0-01", false, 0 },
        { "00-" ID "-b7ad6b716920333-01", false, 0 },
        { "00-0AF7651916CD43DD8448EB211C80319C-" SPAN "-01", false, 0 },
        { "00-" ID "-B7AD6B7169203331-01", false, 0 },
        { "00-" ID "-" SPAN "-0A", false, 0 },
        { "00-.af7651916cd43dd8448eb211c80319c-" SPAN "-01", false, 0 },
        { "00-" ID "-.7ad6b7169203331-01", false, 0 },
        { "00-" ID "-" SPAN "-.0", false, 0 },
        { ".0-" ID "-" SPAN "-01", false, 0 },
        { "00-00000000000000000000000000000000-" SPAN "-01", false, 0 },
        { "00-" ID "-0000000000000000-01", false, 0 },
        { "00_" ID "_" SPAN "_01", false, 0 },
        { PARENT "-", false, 0 }, /* of version 00 nothing follows */
        { PARENT "-what-comes", false, 0 },
        { PARENT ".", false, 0 },
        { PARENT ", " PARENT, false, 0 }, /* two headers */
        { "ff-" ID "-" SPAN "-01", false, 0 },
        { "01-" ID "-" SPAN "-01", true, 1 }, /* of a later version the beginning is read */
        { "cc-" ID "-" SPAN "-01", true, 1 },
        { "cc-" ID "-" SPAN "-01-what-comes", true, 1 },
        { "cc-" ID "-" SPAN "-01-", true, 1 },
        { "cc-" ID "-" SPAN "-01.what-comes", false, 0 },
        { "cc-" ID "-" SPAN "-01x", false, 0 },
        { "cc-" ID "-" SPAN "-0", false, 0 },
        { "CC-" ID "-" SPAN "-01", false, 0 },
    };
    char text[TRACE_PARENT_SIZE];
    trace_t trace;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ok_named(trace_read(&trace, rows[i].text) == rows[i].good, rows[i].text);
        is_int(trace.flags, rows[i].flags);
    }
    ok(!trace_read(&trace, NULL));
    ok(trace_read(&trace, PARENT));
    is_text(trace_parent(&trace, text), PARENT);
}

static void test_children(void)
{
    static const char parent[] = PARENT;
    trace_t trace, other;
    char text[TRACE_PARENT_SIZE];
    ok(trace_read(&trace, parent));
    other = trace_child(&trace);
    trace_parent(&other, text);
    ok(memcmp(text, parent, 36) == 0 && memcmp(text + 36, parent + 36, 16) != 0);
    is_text(text + 52, "-01");
    trace_fresh(&trace);
    trace_fresh(&other);
    ok(memcmp(trace.trace, other.trace, TRACE_ID_BYTES) != 0);
    is_int(trace.flags, 0);
}

/* The last 7 bytes decide, whoever looks. */
static void test_ratio(void)
{
    static const struct {
        const char *id;
        uint32_t least; /* millionths at which it is kept; more keep it, too */
    } rows[] = {
        { "ffffffffffffffffff00000000000000", 1 },
        { "00000000000000000000000010c6f7a0", 1 }, /* just below 2^56 / 10^6 */
        { "0000000000000000000000a7c5ac471b", 11 },
        { "00000000000000000080000000000000", 500001 },
        { "000000000000000000ffffffffffffff", TRACE_RATIO_ALL },
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        trace_t trace = { 0 };
        ok(trace_read_id(trace.trace, rows[i].id, strlen(rows[i].id)));
        ok_named(trace_is_within(&trace, rows[i].least), rows[i].id);
        ok_named(!trace_is_within(&trace, rows[i].least - 1), rows[i].id);
        ok_named(trace_is_within(&trace, TRACE_RATIO_ALL), rows[i].id);
    }
    size_t kept = 0;
    for (int i = 0; i < 100000; i++) {
        trace_t trace;
        trace_fresh(&trace);
        kept += trace_is_within(&trace, 100000);
    }
    ok(kept > 9000 && kept < 11000);
}

static void test_ids(void)
{
    uint8_t id[TRACE_ID_BYTES];
    ok(trace_read_id(id, ID, 32));
    ok(!trace_read_id(id, ID, 31));
    ok(!trace_read_id(id, ID "0", 33));
    ok(!trace_read_id(id, "0AF7651916CD43DD8448EB211C80319C", 32));
}

/* ---- tracestate ----------------------------------------------------------------------------- */

#define X10  "xxxxxxxxxx"
#define X100 X10 X10 X10 X10 X10 X10 X10 X10 X10 X10
#define X240 X100 X100 X10 X10 X10 X10

static void test_states(void)
{
    static const struct {
        const char *text, *expected; /* NULL: nothing of it is used */
    } rows[] = {
        { "", "" },
        { "foo=1", "foo=1" },
        { "foo=1,bar=2", "foo=1,bar=2" },
        { "foo=1 \t , \t bar=2 \t ", "foo=1,bar=2" },
        { " foo=1", "foo=1" },
        { ",foo=1,,bar=2,", "foo=1,bar=2" }, /* empty members are allowed */
        { " , \t,", "" },
        { "foo=1,foo=1", "foo=1" }, /* a key stands once */
        { "foo=1,bar=3,foo=2", "foo=1,bar=3" },
        { "foo=a b", "foo=a b" },
        { "foo= 1", "foo= 1" }, /* a value may begin with a space */
        { "foo=!#$%&'()*+-./:;<>?@[]^_`{|}~\"\\", "foo=!#$%&'()*+-./:;<>?@[]^_`{|}~\"\\" },
        { "a-_*/1=1", "a-_*/1=1" },
        { "t@v=1", "t@v=1" },
        { "0t@v=1", "0t@v=1" }, /* a tenant may begin with a digit */
        { "foo", NULL },
        { "foo=", NULL },
        { "=1", NULL },
        { "foo =1", NULL },
        { "FOO=1", NULL },
        { "1foo=1", NULL },
        { "-foo=1", NULL },
        { "foo.bar=1", NULL },
        { "foo@=1", NULL },
        { "@foo=1", NULL },
        { "foo@@bar=1", NULL },
        { "foo@bar@baz=1", NULL },
        { "foo@0bar=1", NULL },
        { "foo=bar=baz", NULL },
        { "foo=1;bar=2", NULL },
        { "foo=1\x01", NULL },
        { "foo=1\tbar=2", NULL },
        { "foo=\xc3\xa9", NULL },
        { "foo=1,bar", NULL }, /* one that is wrong spoils all */
        { X240 X10 "xxxxxx=1", X240 X10 "xxxxxx=1" },
        { X240 X10 "xxxxxxx=1", NULL },
        { X240 "t@" X10 "vvvv=1", X240 "t@" X10 "vvvv=1" },
        { X240 "tt@v=1", NULL },
        { "t@" X10 "vvvvv=1", NULL },
        { "a=" X240 X10 "xxxxxx", "a=" X240 X10 "xxxxxx" },
        { "a=" X240 X10 "xxxxxxx", NULL },
    };
    char text[TRACE_STATE_BYTES + 1];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        ok_named(trace_state_read(rows[i].text, text) == (rows[i].expected != NULL), rows[i].text);
        is_text(text, rows[i].expected ? rows[i].expected : "");
    }
    ok(trace_state_read(NULL, text));
    is_text(text, "");
}

/* 32 members are taken, 33 are not, however many are empty. */
static void test_members(void)
{
    char text[TRACE_STATE_BYTES + 1];
    buf_t state = { 0 };
    for (int i = 0; i < TRACE_STATE_MEMBERS; i++)
        buf_printf(&state, "%sbar%02d=%02d,,", i ? "," : "", i, i);
    ok(trace_state_read(buf_text(&state), text));
    ok(strstr(text, "bar00=00,bar01=01,") == text && strstr(text, ",bar31=31"));
    buf_add_text(&state, "bar32=32");
    ok(!trace_state_read(buf_text(&state), text));
    is_text(text, "");
    buf_free(&state);
}

/* Beyond 512 bytes large members go first, then the last ones. */
static void test_shortening(void)
{
    char text[TRACE_STATE_BYTES + 1];
    ok(trace_state_read("a=" X240 ",b=" X240 ",c=123456789012345678901234", text));
    is_text(text, "a=" X240 ",b=" X240 ",c=123456789012345678901234"); /* 512 bytes */
    ok(trace_state_read("a=" X240 ",b=" X240 ",c=1234567890123456789012345", text));
    is_text(text, "b=" X240 ",c=1234567890123456789012345");
    ok(trace_state_read("a=" X100 ",b=" X100 ",c=" X100 ",d=" X100 ",e=" X100 ",f=1", text));
    is_text(text, "a=" X100 ",b=" X100 ",c=" X100 ",d=" X100);
}

TESTS({ "parents", test_parents }, { "children", test_children }, { "ratio", test_ratio },
      { "ids", test_ids }, { "states", test_states }, { "members", test_members },
      { "shortening", test_shortening })
