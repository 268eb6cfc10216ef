/* SPDX-License-Identifier: MPL-2.0
 *
 * json_number - the numbers of JSON, as int64, uint64 or the nearest double
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "proto/json_reader.h"

#define JSON_NUMBER_BYTES 1024 /* of one number's text */

static void s_put_natural(buf_t *out, uint64_t value)
{
    uint8_t *to = buf_reserve(out, 9);
    if (value < 0x80) {
        to[0] = (uint8_t)value;
        out->size += 1;
    } else if (value <= UINT8_MAX) {
        to[0] = 0xcc;
        to[1] = (uint8_t)value;
        out->size += 2;
    } else if (value <= UINT16_MAX) {
        to[0] = 0xcd;
        put_u16(to + 1, (uint16_t)value);
        out->size += 3;
    } else if (value <= UINT32_MAX) {
        to[0] = 0xce;
        put_u32(to + 1, (uint32_t)value);
        out->size += 5;
    } else {
        to[0] = 0xcf;
        put_u64(to + 1, value);
        out->size += 9;
    }
}

static void s_put_negative(buf_t *out, int64_t value)
{
    uint8_t *to = buf_reserve(out, 9);
    if (value >= -32) {
        to[0] = (uint8_t)value;
        out->size += 1;
    } else if (value >= INT8_MIN) {
        to[0] = 0xd0;
        to[1] = (uint8_t)value;
        out->size += 2;
    } else if (value >= INT16_MIN) {
        to[0] = 0xd1;
        put_u16(to + 1, (uint16_t)value);
        out->size += 3;
    } else if (value >= INT32_MIN) {
        to[0] = 0xd2;
        put_u32(to + 1, (uint32_t)value);
        out->size += 5;
    } else {
        to[0] = 0xd3;
        put_u64(to + 1, (uint64_t)value);
        out->size += 9;
    }
}

static void s_put_double(buf_t *out, double value)
{
    uint8_t *to = buf_reserve(out, 9);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    to[0] = 0xcb;
    put_u64(to + 1, bits);
    out->size += 9;
}

static bool s_put_big(json_reader_t *self, const char *from)
{
    size_t size = (size_t)(self->at - from);
    if (!(self->options & JSON_BIG_NUMBERS_AS_TEXT) || size > JSON_NUMBER_BYTES) {
        self->at = from;
        return json_fail(self, JSON_BIG_NUMBER);
    }
    uint8_t *to = buf_reserve(self->out, size + 5);
    size_t head = json_text_head(to, size);
    memcpy(to + head, from, size);
    self->out->size += head + size;
    return true;
}

/* The nearest double. Up to 2^53 times or divided by an exact power of ten needs one rounding only
 * (Clinger 1990); everything else is strtod's. */
static bool s_put_fraction(json_reader_t *self, const char *from, uint64_t digits, bool exact,
                           int64_t exponent)
{
    static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    if (exact && digits <= (UINT64_C(1) << 53) && exponent >= -22 && exponent <= 22) {
        double value = (double)digits;
        value = exponent < 0 ? value / powers[-exponent] : value * powers[exponent];
        s_put_double(self->out, *from == '-' ? -value : value);
        return true;
    }
    char text[JSON_NUMBER_BYTES + 1];
    size_t size = (size_t)(self->at - from);
    if (size > JSON_NUMBER_BYTES)
        return s_put_big(self, from);
    memcpy(text, from, size);
    text[size] = '\0';
    double value = strtod(text, NULL);
    if (!isfinite(value))
        return s_put_big(self, from);
    s_put_double(self->out, value);
    return true;
}

static inline bool s_is_digit(const json_reader_t *self)
{
    return self->at < self->end && *self->at >= '0' && *self->at <= '9';
}

/* Reads digits into `*sum` as long as they fit; `*exact` falls once they do not. */
static uint32_t s_digits(json_reader_t *self, uint64_t *sum, bool *exact)
{
    uint32_t count = 0;
    for (; s_is_digit(self); self->at++, count++) {
        uint64_t digit = (uint64_t)(*self->at - '0');
        if (*sum > (UINT64_MAX - digit) / 10)
            *exact = false;
        else
            *sum = *sum * 10 + digit;
    }
    return count;
}

bool json_read_number(json_reader_t *self)
{
    const char *from = self->at;
    bool negative = *self->at == '-', exact = true, whole = true;
    uint64_t digits = 0;
    int64_t exponent = 0;
    if (negative)
        self->at++;
    const char *first = self->at;
    uint32_t count = s_digits(self, &digits, &exact);
    if (count == 0)
        return json_fail(self, self->at == self->end ? JSON_CUT : JSON_BAD_NUMBER);
    if (count > 1 && *first == '0')
        return json_fail(self, JSON_BAD_NUMBER);
    if (self->at < self->end && *self->at == '.') {
        whole = false;
        self->at++;
        uint32_t places = s_digits(self, &digits, &exact);
        if (places == 0)
            return json_fail(self, self->at == self->end ? JSON_CUT : JSON_BAD_NUMBER);
        exponent = -(int64_t)places;
    }
    if (self->at < self->end && (*self->at | 0x20) == 'e') {
        whole = false;
        self->at++;
        bool down = self->at < self->end && *self->at == '-';
        if (self->at < self->end && (*self->at == '-' || *self->at == '+'))
            self->at++;
        uint64_t power = 0;
        bool fits = true;
        if (s_digits(self, &power, &fits) == 0)
            return json_fail(self, self->at == self->end ? JSON_CUT : JSON_BAD_NUMBER);
        if (!fits || power > INT32_MAX)
            power = INT32_MAX;
        exponent += down ? -(int64_t)power : (int64_t)power;
    }
    if (!whole || (negative && digits == 0 && exact)) /* -0 is a double in JSON's data model */
        return s_put_fraction(self, from, digits, exact, exponent);
    if (!exact || (negative && digits > (uint64_t)INT64_MAX + 1))
        return s_put_big(self, from);
    if (negative)
        s_put_negative(self->out, (int64_t)(0 - digits));
    else
        s_put_natural(self->out, digits);
    return true;
}
