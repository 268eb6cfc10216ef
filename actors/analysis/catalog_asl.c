/* SPDX-License-Identifier: MPL-2.0
 *
 * catalog_asl - the state types of Amazon States Language, and the services a task may call
 *
 * Source: the Amazon States Language specification (states-language.net), and the service names in
 * the resources of optimized and SDK integrations ("arn:aws:states:::<service>:<action>").
 */
#include "config.h"

#include "actors/analysis/catalog.h"

static const catalog_row_t s_states[] = {
    { .type = "Choice", .class = CLASS_SWITCH, .more_outputs = CATALOG_OUTPUTS_VARY },
    { .type = "Fail", .class = CLASS_STOP },
    { .type = "Map", .class = CLASS_LOOP },
    { .type = "Parallel", .class = CLASS_SPLIT },
    { .type = "Pass", .class = CLASS_TRANSFORM },
    { .type = "Succeed", .class = CLASS_STOP },
    { .type = "Task", .class = CLASS_APP },
    { .type = "Wait", .class = CLASS_WAIT },
};

const catalog_t catalog_asl_states = { s_states, COUNT_OF(s_states) };

static const catalog_row_t s_services[] = {
    { .type = "apigateway", .class = CLASS_HTTP },
    { .type = "athena", .class = CLASS_DATABASE },
    { .type = "batch", .class = CLASS_APP },
    { .type = "bedrock", .class = CLASS_MODEL },
    { .type = "bedrockruntime", .class = CLASS_MODEL },
    { .type = "codebuild", .class = CLASS_APP },
    { .type = "dynamodb", .class = CLASS_DATABASE },
    { .type = "ecs", .class = CLASS_APP },
    { .type = "eks", .class = CLASS_APP },
    { .type = "emr", .class = CLASS_APP },
    { .type = "events", .class = CLASS_SEND },
    { .type = "glue", .class = CLASS_APP },
    { .type = "http", .class = CLASS_HTTP },
    { .type = "lambda", .class = CLASS_CODE, .traits = NODE_CALLS },
    { .type = "rds-data", .class = CLASS_DATABASE },
    { .type = "rdsdata", .class = CLASS_DATABASE },
    { .type = "redshiftdata", .class = CLASS_DATABASE },
    { .type = "s3", .class = CLASS_APP },
    { .type = "sagemaker", .class = CLASS_APP },
    { .type = "ses", .class = CLASS_SEND },
    { .type = "sesv2", .class = CLASS_SEND },
    { .type = "sns", .class = CLASS_SEND },
    { .type = "sqs", .class = CLASS_SEND },
    { .type = "ssm", .class = CLASS_APP },
    { .type = "states", .class = CLASS_SUBFLOW, .traits = NODE_CALLS },
};

const catalog_t catalog_asl_services = { s_services, COUNT_OF(s_services) };

const catalog_row_t *catalog_asl_state(slice_t type)
{
    return catalog_find(&catalog_asl_states, type);
}

const catalog_row_t *catalog_asl_service(slice_t service)
{
    return catalog_find(&catalog_asl_services, service);
}
