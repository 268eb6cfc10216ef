# SPDX-License-Identifier: MPL-2.0
#
# embed.awk - turns the migrations of one actor into a C table of db_migration_t
#
#     awk -f embed.awk -v symbol=auth_migrations FILE... > migrations.c
#
# The files are sql/NNNN_name.sqlite.sql and sql/NNNN_name.postgres.sql, numbered from 0001 without
# gaps; both dialects of every number must be there, under one name. The sentence about what is
# wrong goes to standard error, and the exit status is 1.
#
# An actor's local.mk uses it so:
#
#     %C%_sql = %D%/sql/0001_accounts.sqlite.sql %D%/sql/0001_accounts.postgres.sql
#     EXTRA_DIST += $(%C%_sql)
#     CLEANFILES += %D%/migrations.c
#     nodist_%C%_libauth_a_SOURCES = %D%/migrations.c
#     %D%/migrations.c: $(%C%_sql) $(SB_EMBED)
#     	$(SB_EMBED_SQL) -v symbol=auth_migrations $(%C%_sql) $(SB_EMBED_TO)
#
# and its header says `extern const db_migration_t auth_migrations[];`.

function refuse(sentence)
{
    print "embed.awk: " sentence > "/dev/stderr"
    exit 1
}

# The text of a file as C string literals, a line each.
function literal(path,    line, text, status)
{
    while ((status = (getline line < path)) > 0) {
        gsub(/\\/, "&&", line)
        gsub(/"/, "\\\"", line)
        text = text "      \"" line "\\n\"\n"
    }
    if (status < 0)
        refuse("cannot read " path)
    if (text == "")
        refuse(path " is empty")
    close(path)
    return text
}

function take(path,    file, parts, number)
{
    file = path
    sub(/.*\//, "", file)
    if (file !~ /^[0-9][0-9][0-9][0-9]_[a-z0-9_]+\.(sqlite|postgres)\.sql$/)
        refuse(path " is not named NNNN_name.sqlite.sql or NNNN_name.postgres.sql")
    number = substr(file, 1, 4) + 0
    split(substr(file, 6), parts, ".")
    if (number in names && names[number] != parts[1])
        refuse("migration " number " has two names: " names[number] " and " parts[1])
    names[number] = parts[1]
    texts[number, parts[2]] = literal(path)
    if (number > last)
        last = number
}

BEGIN {
    if (symbol == "")
        refuse("say -v symbol=NAME")
    for (i = 1; i < ARGC; i++)
        take(ARGV[i])
    for (number = 1; number <= last; number++) {
        if (!((number, "sqlite") in texts))
            refuse("migration " number " has no .sqlite.sql file")
        if (!((number, "postgres") in texts))
            refuse("migration " number " has no .postgres.sql file")
    }
    print "/* Made by actors/runtime/embed.awk from the actor's sql folder: change it there. */"
    print "#include \"config.h\"\n\n#include \"actors/runtime/db.h\"\n"
    print "extern const db_migration_t " symbol "[];\n"
    print "const db_migration_t " symbol "[] = {"
    for (number = 1; number <= last; number++) {
        printf "    { %d, \"%s\",\n%s      ,\n%s    },\n", number, names[number],
               texts[number, "sqlite"], texts[number, "postgres"]
    }
    print "    { 0 },\n};"
}
