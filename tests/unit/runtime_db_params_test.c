/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include "actors/runtime/db_params.h"
#include "tests/tap.h"

static void test_parse(void)
{
    static const struct {
        const char *what, *sql, *expected, *names;
    } cases[] = {
        { "none", "SELECT 1", "SELECT 1", "" },
        { "one", "SELECT $a", "SELECT $1", "a" },
        { "in order of appearance", "$b,$a,$c", "$1,$2,$3", "b a c" },
        { "again the same number", "$a+$b*$a", "$1+$2*$1", "a b" },
        { "a prefix is another name", "$id,$id2,$i", "$1,$2,$3", "id id2 i" },
        { "at the end", "x=$last_1", "x=$1", "last_1" },
        { "cast", "$at::bigint, 'x'::text", "$1::bigint, 'x'::text", "at" },
        { "string", "'$a' $b", "'$a' $1", "b" },
        { "doubled quote", "'it''s $a' $b", "'it''s $a' $1", "b" },
        { "a backslash is nothing special", "'\\' $a '$b'", "'\\' $1 '$b'", "a" },
        { "but in an E string", "E'\\'$a' $b", "E'\\'$a' $1", "b" },
        { "quoted identifier", "\"$a\"\"$b\" $c", "\"$a\"\"$b\" $1", "c" },
        { "dollar inside a name", "foo$bar + $baz", "foo$bar + $1", "baz" },
        { "line comment", "1 -- $a it's\n$b", "1 -- $a it's\n$1", "b" },
        { "comment", "/* $a ' */$b", "/* $a ' */$1", "b" },
        { "nested comment", "/* /* $a */ $b */ $c", "/* /* $a */ $b */ $1", "c" },
        { "division and minus", "$a/$b-$c", "$1/$2-$3", "a b c" },
        { "dollar quote", "$$ $a ' $$ $b", "$$ $a ' $$ $1", "b" },
        { "tagged dollar quote", "$x$ $$ $a $x$ $b", "$x$ $$ $a $x$ $1", "b" },
        { "operators", "a->>$k || $v", "a->>$1 || $2", "k v" },
        { "open string", "'$a", "'$a", "" },
        { "open comment", "/* $a", "/* $a", "" },
        { "open dollar quote", "$$ $a", "$$ $a", "" },
        { "open E string", "E'\\", "E'\\", "" },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        db_params_t params;
        buf_t names = { 0 };
        db_params_parse(&params, cases[i].sql);
        for (size_t j = 0; j < params.count; j++)
            buf_printf(&names, "%s%s", j ? " " : "", params.names[j]);
        ok_named(strcmp(buf_text(&params.text), cases[i].expected) == 0, cases[i].what);
        is_text(buf_text(&names), cases[i].names);
        buf_free(&names);
        db_params_free(&params);
    }
}

TESTS({ "parse", test_parse })
