/* SPDX-License-Identifier: MPL-2.0
 *
 * cron_host - answers questions about cron expressions, for jobs_cron.py
 *
 * A line of standard input is "ZONE<tab>EXPRESSION<tab>AFTER<tab>UNTIL", times in seconds since
 * 1970; a line of the answer is every time it is due, separated by spaces. The folder of the zones
 * may be named on the command line.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "actors/jobs/cron.h"
#include "actors/jobs/zones.h"

static void s_answer(zones_t *zones, char *line)
{
    char cron_why[CRON_WHY_SIZE], zone_why[ZONES_WHY_SIZE], *rest = line;
    const char *name = strsep(&rest, "\t"), *expression = strsep(&rest, "\t"),
               *after_text = strsep(&rest, "\t");
    cron_t cron;
    if (!rest)
        die("'%s' is no question", line);
    const zone_t *zone = zones_get(zones, name, zone_why);
    if (!zone)
        die("%s", zone_why);
    if (!cron_parse(&cron, expression, strlen(expression), cron_why))
        die("'%s': %s", expression, cron_why);
    int64_t after = strtoll(after_text, NULL, 10), until = strtoll(rest, NULL, 10);
    while (cron_next(&cron, zone, after, until, &after))
        printf("%" PRId64 " ", after);
    printf("\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char line[1024];
    zones_t *zones = zones_new(argc > 1 ? argv[1] : ZONES_FOLDER);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        s_answer(zones, line);
    }
    zones_destroy(&zones);
    return 0;
}
