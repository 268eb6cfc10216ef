# SPDX-License-Identifier: MPL-2.0
"""What Prometheus adds up over all instances is what the clients have counted: although one of a
hundred snapshots is lost, edges start anew, and the actor that knows of them is killed."""
import os
import sys

sys.path.insert(0, os.path.join(os.environ.get("srcdir", "."), "tests", "kit"))
import prometheus  # noqa: E402
from lossy import Lossy  # noqa: E402
from parts import Folder, free_port  # noqa: E402
from tap import check, done, same, skip  # noqa: E402
from web import Response, Web, read_one, request  # noqa: E402

LOST_ONE_OF = 100
ROUNDS = 4
REQUESTS = 150  # to each edge in a round
ALL = 'sum(last_over_time(http_requests_total{route="/v1/ping"}[1h]))'


class Clients:
    """Asks edges and counts the answers."""

    def __init__(self):
        self.answers = 0

    def ask(self, edge):
        with Web(edge.port).connect() as connection:
            for _ in range(REQUESTS):
                connection.sendall(request("GET", "/v1/ping", close=False))
                self.answers += Response(read_one(connection)).status == 200


def main():
    if not prometheus.is_here():
        skip("prometheus and python3-prometheus-client are not installed")
    gate = free_port()  # an edge that Prometheus asks, and no client
    with Folder(edge_port=0, edge_allow_anonymous="true", edge_threads=32, edge_limits="false",
                bus_snapshot_ms=100, broker_snapshot_ms=100) as folder:
        folder.start("broker")
        with Lossy(folder.socket("events"), folder.socket("lossy"), LOST_ONE_OF, b"metrics.") as lossy:
            words = ("actor", "metrics", "--bus.events", folder.socket("lossy"))
            metrics = folder.start(*words)
            folder.start("edge", "--port", gate)
            edges = [folder.start("edge"), folder.start("edge")]
            clients = Clients()
            with prometheus.Prometheus(folder.path, [f"127.0.0.1:{gate}"]) as server:
                for number in range(ROUNDS):
                    for edge in edges:
                        clients.ask(edge)
                    found = server.wait(ALL, lambda found: found and found[0][1] == clients.answers)
                    same(found[0][1] if found else None, float(clients.answers),
                         f"round {number}: Prometheus has what the clients have counted")
                    if number % 2 == 0:
                        clients.ask(edges[number // 2])  # its last word must tell of them
                        same(edges[number // 2].stop(), 0, "an edge leaves")
                        found = server.wait(ALL,
                                            lambda found: found and found[0][1] == clients.answers)
                        same(found[0][1] if found else None, float(clients.answers),
                             "and its last word was heard")
                        edges[number // 2] = folder.start("edge")
                    else:
                        metrics.kill()
                        metrics = folder.start(*words)
                while lossy.lost < 5:
                    clients.ask(edges[0])
                found = server.wait(ALL, lambda found: found and found[0][1] == clients.answers)
                same(found[0][1] if found else None, float(clients.answers), "in the end")
                missed = server.query("sum(max_over_time(metrics_snapshots_missed_total[1h]))")
                check(missed and missed[0][1] > 0, "snapshots were lost, and counted",
                      (lossy.lost, missed))
                check(clients.answers > 1000, "there was something to count", clients.answers)
    sys.exit(done())


main()
