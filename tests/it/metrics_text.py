# SPDX-License-Identifier: MPL-2.0
"""/metrics tells what all instances count, in a form that Prometheus' own tools find nothing wrong
with, and goes on when instances, or the actor that knows of them, come and go."""
import os
import sys
import time

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
import bus  # noqa: E402
import prometheus  # noqa: E402
from load import workflow  # noqa: E402
from parts import Folder  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from web import PATIENCE, Web  # noqa: E402

OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;q=0.5"}
SETTINGS = {"edge_port": 0, "edge_allow_anonymous": "true", "edge_threads": 32,
            "edge_limits": "false", "bus_snapshot_ms": 200, "broker_snapshot_ms": 200,
            "bus_trace_per_million": 1000000, "metrics_text_bytes": 2000000}

# What dashboards may rely on, besides process_* and broker_*.
FAMILIES = """
    http_request_duration_seconds http_requests_total http_requests_in_flight
    workflow_analysis_total workflow_analysis_duration_seconds workflow_health_score
    workflow_issues_found_total
    database_query_duration_seconds database_connections_active database_connections_idle
    database_query_errors_total
    cache_hits_total cache_misses_total cache_operation_duration_seconds
    outbound_requests_total outbound_request_duration_seconds outbound_errors_total
    active_users subscription_events_total rate_limit_exceeded_total
    process_cpu_seconds_total process_resident_memory_bytes process_open_fds process_max_fds
    process_start_time_seconds
    broker_requests_total broker_queue_depth broker_credit broker_drops_total
    broker_heartbeats_missed_total bus_event_gaps_total instance_up
""".split()


class Scrape:
    """One reading of /metrics."""

    def __init__(self, web):
        self.text = web.get("/metrics", OPENMETRICS).body.decode()
        self.samples = prometheus.read_openmetrics(self.text)

    def sum(self, name, **labels):
        """The sum of all series with these labels; None when there is none."""
        found = [sample.value for sample in self.samples if sample.name == name
                 and labels.items() <= sample.labels.items()]
        return sum(found) if found else None

    def instances(self, **labels):
        return sorted(sample.labels["instance"] for sample in self.samples
                      if sample.name == "instance_up" and labels.items() <= sample.labels.items())


def wait(web, is_so, name):
    """Scrapes until it is so; the last one."""
    until = time.monotonic() + PATIENCE
    while True:
        scrape = Scrape(web)
        if is_so(scrape) or time.monotonic() > until:
            check(is_so(scrape), name, scrape.text[:2000])
            return scrape


def families(text):
    return {line.split()[2] for line in text.splitlines() if line.startswith("# TYPE ")}


def the_forms(web):
    """What both of Prometheus' readers say."""
    plain = web.get("/metrics").body.decode()
    same(prometheus.check_text(plain), "", "promtool finds nothing wrong")
    missing = sorted(set(FAMILIES) - families(plain))
    same(missing, [], "every promised family is told")
    scrape = Scrape(web)  # raises where the strict parser does
    check(len(scrape.samples) > 500, "the strict parser of OpenMetrics reads all of it",
          len(scrape.samples))
    traced = [sample for sample in scrape.samples if sample.exemplar]
    check(any(sample.name == "http_request_duration_seconds_bucket" and
              len(sample.exemplar.labels["trace_id"]) == 32 for sample in traced),
          "an example of a request's time names its trace")
    same(scrape.sum("metrics_series_left_out_total"), 0, "every part's snapshot is taken as it is")
    same(scrape.sum("metrics_snapshots_bad_total"), 0, "and can be read")


def instances(folder, web):
    """Those that leave, those that are killed, those that come."""
    first = folder.start("actor", "cache", "--instance", "first")
    second = folder.start("actor", "cache", "--instance", "second")
    scrape = wait(web, lambda s: {"first", "second"} <= set(s.instances(part="cache")),
                  "instances that come are told")
    same(scrape.sum("instance_up", part="cache"), 3, "as up, beside the one that was there")
    first.stop()
    scrape = wait(web, lambda s: "first" not in s.instances(part="cache"),
                  "one that leaves is not told as down")
    check(scrape.sum("cache_gets_total", instance="first") is not None,
          "what it has counted is told on")
    second.kill()
    scrape = wait(web, lambda s: s.sum("instance_up", instance="second") == 0,
                  "one that is killed is told as down")
    check(scrape.sum("cache_gets_total", instance="second") is not None,
          "what it has counted is told on, too")
    folder.start("actor", "cache", "--instance", "second")
    wait(web, lambda s: s.sum("instance_up", instance="second") == 1 and
         s.sum("instance_restarts_total", of="cache", after="crash") == 1, "when it starts anew it is up, and the reset is seen")


def too_much(folder, web):
    """Whoever tells more than fits is told to be up, and costs nobody else anything."""
    series = [{"labels": {"a": f"{number}" + "x" * 150}, "value": 1} for number in range(10000)]
    snapshot = {"part": "large", "instance": "large-1", "boot": 1, "sequence": 1, "interval_ms": 60000,
                "families": [{"name": "large_total", "kind": "counter", "about": "x", "series": series}]}
    sender = bus.dealer(folder.socket("bus"))
    bus.publish(sender, "metrics.large.large-1", snapshot, 1, publisher="large-1")
    scrape = wait(web, lambda s: s.sum("metrics_instances_large") == 1, "one tells too much, and is counted")
    same((scrape.sum("instance_up", part="large"), scrape.sum("large_total")), (1, None), "it is up, and no more is told")
    check(len(scrape.instances()) > 5 and scrape.sum("http_requests_total") > 0, "all of the others is")
    sender.close()


def by_one(folder, webs):
    """Of several instances of the actor one is asked: what another one has heard later would look like a reset."""
    other = folder.start("actor", "metrics", "--instance", "other")

    def told():
        return {sample.labels["instance"]: sample.value for sample in Scrape(webs[0]).samples
                if sample.name == "actor_call_duration_seconds_count" and sample.labels.get("method") == "text"
                and sample.labels["part"] == "metrics"}

    wait(webs[0], lambda s: s.sum("instance_up", part="metrics") == 2, "there are two instances of the actor")
    before = told()
    for number in range(40):
        webs[number % 2].get("/metrics")
    wait(webs[0], lambda s: s.sum("actor_call_duration_seconds_count", part="metrics", method="text") >=
         sum(before.values()) + 40, "both edges ask for all that is told")
    after = told()
    grown = [instance for instance, count in after.items() if count - before.get(instance, 0) > 5]
    same(len(grown), 1, f"one of the two is asked, always the same {before} {after}")
    same(other.stop(), 0, "it leaves")
    wait(webs[0], lambda s: len(s.instances(part="metrics")) == 1, "and is gone")


def alone(folder, edges, metrics):
    """Without the actor an edge tells what it has counted itself."""
    webs = [Web(edge.port) for edge in edges]
    metrics.kill()
    scrape = wait(webs[0], lambda s: s.sum("metrics_snapshots_total") is None,
                  "the edge notices that the actor is gone")
    same((scrape.instances(), scrape.sum("instance_up")), (scrape.instances(part="edge"), 1),
         "without the actor the edge tells of itself alone")
    check(scrape.sum("http_requests_total", route="/v1/ping") > 0, "in the same form")
    same(prometheus.check_text(webs[1].get("/metrics").body.decode()), "", "which promtool likes")
    folder.start("actor", "metrics")
    wait(webs[0], lambda s: len(s.instances(part="edge")) == 2 and s.instances(part="broker"),
         "an actor that starts knows of all within a snapshot")


def main():
    if not prometheus.is_here():
        skip("prometheus and python3-prometheus-client are not installed")
    with Folder(**SETTINGS) as folder:
        folder.start("broker")
        metrics = folder.start("actor", "metrics")
        folder.start("actor", "auth", "analysis", "limiter", "cache", "webhook")
        edges = [folder.start("edge"), folder.start("edge")]
        web = Web(edges[0].port)
        web.wait_for("/v1/rules")
        for edge in edges:
            Web(edge.port).get("/v1/ping")
            Web(edge.port).get("/nowhere/at/all")
        same(web.post("/v1/analyses?kind=generic", workflow("one", 3)).status, 201, "a workflow")
        scrape = wait(web, lambda s: s.sum("http_requests_total", route="/v1/ping") == 2 and
                      s.sum("workflow_analysis_total", status="completed") == 1,
                      "what two edges and a service have counted is told")
        same(scrape.sum("http_requests_total", route="unmatched"), 2,
             "a path that leads nowhere is no label")
        check("/nowhere" not in scrape.text, "and stands nowhere")
        the_forms(web)
        instances(folder, web)
        too_much(folder, web)
        by_one(folder, [Web(edge.port) for edge in edges])
        alone(folder, edges, metrics)
    sys.exit(done())


main()
