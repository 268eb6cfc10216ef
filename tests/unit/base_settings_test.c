/* SPDX-License-Identifier: MPL-2.0 */
#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "actors/base/settings.h"
#include "tests/tap.h"

typedef struct {
    int64_t port;
    bool open;
    const char *name, *password;
} part_t;

static const setting_t s_rows[] = {
    { "port", SETTING_INT, offsetof(part_t, port), "8080", 0, 65535, "number",
      .about = "Where to listen." },
    { "open", SETTING_BOOL, offsetof(part_t, open), "false", .about = "For everybody." },
    { "name", SETTING_TEXT, offsetof(part_t, name), "red", .choices = "red green",
      .reloadable = true, .about = "A colour." },
    { "password", SETTING_TEXT, offsetof(part_t, password), .max = 20, .secret = true,
      .about = "Not to be seen." },
    { 0 },
};

static part_t s_part;
static const settings_section_t s_sections[] = { { "door", s_rows, &s_part }, { 0 } };

static char *s_file(const char *text)
{
    char *path = mem_strdup("/tmp/settings-test-XXXXXX");
    int fd = mkstemp(path);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        die("cannot write a file for the test");
    close(fd);
    return path;
}

static void test_sources_in_order(void)
{
    buf_t problems = { 0 };
    char *path = s_file("#   a comment\ndoor\n    port = 1\n    name = green\n    open = yes\n");
    char home[] = "HOME=/", port[] = "SIGNALBOX_DOOR_PORT=2", config[] = "SIGNALBOX_CONFIG=x";
    char *const environment[] = { home, port, config, NULL };
    settings_t *settings = settings_new(s_sections);
    is_int(s_part.port, 8080);
    is_text(s_part.name, "red");
    is_text(s_part.password, "");
    ok(settings_read_file(settings, path, &problems));
    is_int(s_part.port, 1);
    ok(s_part.open);
    ok(settings_read_environment(settings, environment, &problems));
    is_int(s_part.port, 2);
    ok(settings_read_flag(settings, "door.port", "3", &problems));
    is_int(s_part.port, 3);
    is_text(s_part.name, "green");
    is_text(buf_text(&problems), "");
    settings_destroy(&settings);
    unlink(path);
    mem_free(path);
    buf_free(&problems);
}

static void test_all_problems_at_once(void)
{
    buf_t problems = { 0 };
    char *path =
        s_file("door\n    prt = 1\n    name = blue\n    port = 70000\nwindow\n    x = 1\n");
    settings_t *settings = settings_new(s_sections);
    ok(!settings_read_file(settings, path, &problems));
    const char *text = buf_text(&problems);
    ok(strstr(text, "there is no setting 'door.prt'; did you mean 'door.port'?"));
    ok(strstr(text, "door.name: 'blue' is none of: red green"));
    ok(strstr(text, "door.port: '70000' is not a whole number from 0 to 65535"));
    ok(strstr(text, "there is no setting 'window.x'"));
    is_int(s_part.port, 8080);
    settings_destroy(&settings);
    unlink(path);
    mem_free(path);
    buf_free(&problems);
}

static void test_secrets(void)
{
    buf_t problems = { 0 }, text = { 0 };
    char *secret = s_file("hunter2\n");
    settings_t *settings = settings_new(s_sections);
    ok(settings_read_flag(settings, "door.password_file", secret, &problems));
    is_text(s_part.password, "hunter2");
    settings_print(settings, &text);
    ok(!strstr(buf_text(&text), "hunter2"));
    ok(strstr(buf_text(&text), "password = \"***\""));
    ok(!settings_read_flag(settings, "door.password_file", "/does/not/exist", &problems));
    ok(strstr(buf_text(&problems), "cannot read"));
    ok(!settings_read_flag(settings, "door.name_file", secret, &problems)); /* no secret */
    settings_destroy(&settings);
    unlink(secret);
    mem_free(secret);
    buf_free(&problems);
    buf_free(&text);
}

static void test_reload(void)
{
    buf_t problems = { 0 };
    char *path = s_file("door\n    name = red\n    port = 1\n");
    settings_t *settings = settings_new(s_sections);
    ok(settings_read_file(settings, path, &problems));
    const char *before = s_part.name;
    FILE *file = fopen(path, "we");
    fputs("door\n    name = green\n    port = 1\n", file);
    fclose(file);
    ok(settings_reload(settings, &problems));
    is_text(s_part.name, "green");
    is_text(before, "red"); /* whoever still reads the old value may */
    file = fopen(path, "we");
    fputs("door\n    port = 2\n", file);
    fclose(file);
    ok(!settings_reload(settings, &problems));
    ok(strstr(buf_text(&problems), "door.port: a change takes effect after a restart only"));
    is_int(s_part.port, 1);
    settings_destroy(&settings);
    unlink(path);
    mem_free(path);
    buf_free(&problems);
}

static void test_bad_files(void)
{
    buf_t problems = { 0 };
    settings_t *settings = settings_new(s_sections);
    ok(!settings_read_file(settings, "/does/not/exist", &problems));
    char *path = s_file("door\n  port 1 = = \x01\n");
    ok(!settings_read_file(settings, path, &problems));
    unlink(path);
    mem_free(path);
    settings_destroy(&settings);
    buf_free(&problems);
}

static void test_outputs(void)
{
    buf_t text = { 0 };
    settings_t *settings = settings_new(s_sections);
    settings_help(settings, "door", &text);
    ok(strstr(buf_text(&text), "--door.port"));
    text.size = 0;
    settings_document(settings, &text);
    ok(strstr(buf_text(&text), "| `door.port` | `8080` | 0 to 65535 number | Where to listen. |"));
    ok(settings_knows(settings, "door.port") && !settings_knows(settings, "door.x"));
    settings_destroy(&settings);
    buf_free(&text);
}

TESTS({ "sources", test_sources_in_order }, { "all problems", test_all_problems_at_once },
      { "secrets", test_secrets }, { "reload", test_reload }, { "bad files", test_bad_files },
      { "outputs", test_outputs })
