/* metrics.c - GET /metrics: what was counted, for Prometheus.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"

enum { TEXT_BYTES = 1 << 20 };

static FIBER_ENTRY void
serve(struct http_exchange *x)
{
    struct admin_stats req = {0};
    struct admin_stats_reply rep;
    AUTO_BUF text = BUF(TEXT_BYTES);

    if (!str_eq(x->head->path, STR("/metrics"))) {
        http_answer(x, 404, STR("text/plain"), STR("There is /metrics and nothing else\n"));
        return;
    }
    if (!str_eq(x->head->method, STR("GET")) && !str_eq(x->head->method, STR("HEAD"))) {
        http_header(x, "Allow", STR("GET"));
        http_answer(x, 405, STR("text/plain"), STR("Metrics are only read\n"));
        return;
    }
    if (admin_stats_call(api_world->store, &req, x->arena, &rep) != OK ||
        view_prometheus(&rep, &text) != OK) {
        http_answer(x, 503, STR("text/plain"), STR("The store is being started again\n"));
        return;
    }
    http_answer(x, 200, STR("text/plain; version=0.0.4; charset=utf-8"), buf_str(&text));
}

const struct http_service api_metrics_service = {.serve = serve};
