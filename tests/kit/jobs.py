# SPDX-License-Identifier: MPL-2.0
"""jobs - the jobs service as a test plays it, which runs jobs when it wants to"""
import threading

import bus

PATIENCE = 20


class Jobs:
    """Takes what is enqueued, as the jobs service would: a unique key counts once. Keeps the jobs
    that call one of the services: others enqueue when they like, such as auth its mails."""

    def __init__(self, folder, *services):
        self.services = services
        self.endpoint = folder.socket("bus")
        self.worker = bus.Worker(folder.socket("bus"), "jobs", "jobs-test", credit=100)
        self.client = bus.Client(folder.socket("bus"))
        self.jobs = {}
        self.order = []
        self.changed = threading.Condition()
        self.refuses = False
        self.refuse_one = None  # a text: all that a request with it asks for is refused for good
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                head, frames = self.worker.next()
            except Exception:  # pylint: disable=broad-except
                continue  # nothing for some seconds
            if self.refuses:
                self.worker.answer(head, {"code": "UNAVAILABLE"}, bus.ERROR, 503)
                continue
            if self.refuse_one and self.refuse_one.encode() in frames[-1]:
                self.worker.answer(head, {"code": "UNPROCESSABLE"}, bus.ERROR, 422)
                continue
            with self.changed:
                for job in bus.msgpack.unpackb(frames[-1])["jobs"]:
                    if (job["kind"].split(".")[0] in self.services
                            and job["unique_key"] not in self.jobs):
                        self.jobs[job["unique_key"]] = job
                        self.order.append(job)
                self.changed.notify_all()
                self.worker.answer(head, {"items": []})

    def take(self, count):
        """The next jobs; fewer when they do not come."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.order) >= count, PATIENCE)
            taken, self.order = self.order[:count], self.order[count:]
        return taken

    def run_alone(self, job):
        """The same over a connection of its own, for who runs several at once."""
        return self.run(job, bus.Client(self.endpoint))

    def run(self, job, client=None):
        """(None, reply) or (code, failure)."""
        service, method = job["kind"].split(".")
        command, answer = (client or self.client).call(service, method, job["payload"], deadline=20000)
        return (None, answer) if command == bus.FINAL else (answer["code"], answer)
