/* SPDX-License-Identifier: MPL-2.0
 *
 * catalog - what the types of nodes are, as const tables
 *
 * A node's type names what it does in its own platform's words. The catalogue translates it into a
 * class, which the rules understand, and traits, which are yes-or-no facts that cut across classes.
 * A class has traits of its own; a row adds to them; a loader adds what the parameters say.
 *
 * A type that is in no table gets a row by its shape (a suffix, a package) and NODE_UNKNOWN, so
 * that rules can leave alone what nobody knows.
 */
#ifndef SIGNALBOX_ANALYSIS_CATALOG_H
#define SIGNALBOX_ANALYSIS_CATALOG_H

#include "actors/analysis/slice.h"

typedef enum {
    CLASS_OTHER,
    CLASS_TRIGGER,   /* starts an execution */
    CLASS_HTTP,      /* a request to an address in the parameters */
    CLASS_SEND,      /* a message to people or to a queue */
    CLASS_DATABASE,  /* a database or a table service */
    CLASS_APP,       /* any other service */
    CLASS_FILE,      /* local files */
    CLASS_CODE,      /* a program in the parameters */
    CLASS_COMMAND,   /* a command of the operating system */
    CLASS_BRANCH,    /* two ways: if */
    CLASS_SWITCH,    /* many ways */
    CLASS_FILTER,    /* one way or none */
    CLASS_MERGE,     /* several inputs into one */
    CLASS_WAIT,      /* a pause */
    CLASS_LOOP,      /* the head of a loop over items */
    CLASS_SPLIT,     /* one item into many, or one path into several at once */
    CLASS_LIMIT,     /* at most so many items */
    CLASS_RESPOND,   /* answers the request that started it */
    CLASS_SUBFLOW,   /* runs another workflow */
    CLASS_MODEL,     /* asks a language model */
    CLASS_AI_PART,   /* a part plugged into a model: model, memory, tool */
    CLASS_TRANSFORM, /* changes the data in hand and nothing else */
    CLASS_STOP,      /* ends the execution */
    CLASS_CATCH,     /* receives errors */
    CLASS_LINK,      /* a wire in disguise */
    CLASS_COMMENT,   /* for people */
    CLASS_CONFIG,    /* settings shared by nodes; never runs */
    CLASS_CONTAINER, /* a tab, a subflow's definition, a group */
    CLASS_COUNT,
} node_class_t;

enum {
    NODE_CALLS = 1 << 0,         /* leaves the process: can fail for reasons outside */
    NODE_EFFECT = 1 << 1,        /* changes something outside */
    NODE_UNSAFE_RETRY = 1 << 2,  /* doing it twice is not doing it once */
    NODE_MAY_END = 1 << 3,       /* may pass nothing on, so a loop through it can end */
    NODE_GUARDS = 1 << 4,        /* looks at the data and decides */
    NODE_PAUSES = 1 << 5,        /* waits, so a loop through it is paced */
    NODE_PUBLIC = 1 << 6,        /* a trigger that anyone with the address can pull */
    NODE_AUTHENTICATED = 1 << 7, /* ... who also has a credential */
    NODE_MANUAL = 1 << 8,        /* a trigger for trying by hand */
    NODE_SCHEDULE = 1 << 9,      /* a trigger by the clock */
    NODE_RETRIES = 1 << 10,      /* is tried again when it fails */
    NODE_PACED = 1 << 11,        /* has a pause between its own calls */
    NODE_NEEDS_MODEL = 1 << 12,  /* does nothing without a language model plugged in */
    NODE_UNKNOWN = 1 << 13,      /* the type is in no table */
};

#define CATALOG_OUTPUTS_VARY 0xff

typedef struct {
    const char *type; /* behind the package; tables are sorted by it */
    node_class_t class;
    uint32_t traits;       /* NODE_..., beyond those of the class */
    uint8_t more_outputs;  /* main outputs beyond the first; CATALOG_OUTPUTS_VARY: by parameters */
    const char *successor; /* of a deprecated type: what to use instead */
} catalog_row_t;

typedef struct {
    const catalog_row_t *rows;
    size_t count;
} catalog_t;

/* Types behind "n8n-nodes-base." and "@n8n/n8n-nodes-langchain.", sorted; here for the test that
 * checks the order. */
extern const catalog_t catalog_n8n_base, catalog_n8n_ai, catalog_nodered, catalog_asl_states,
    catalog_asl_services, catalog_generic;

/* The row of a type; never NULL. */
const catalog_row_t *catalog_n8n(slice_t type);
const catalog_row_t *catalog_node_red(slice_t type);
const catalog_row_t *catalog_generic_type(slice_t type);

/* The row of an ASL state type, and of the service in a task's resource; NULL when unknown. */
const catalog_row_t *catalog_asl_state(slice_t type);
const catalog_row_t *catalog_asl_service(slice_t service);

/* The row with exactly that type, NULL when the table has none. */
const catalog_row_t *catalog_find(const catalog_t *catalog, slice_t type);

/* "http", "database" ...: the word results and drawings use. */
const char *class_name(node_class_t class);

/* The traits every node of a class has. */
uint32_t class_traits(node_class_t class);

#endif
