# SPDX-License-Identifier: MPL-2.0
"""lossy - stands between a broker's events and a subscriber, and loses some of them

    with Lossy(broker_endpoint, own_endpoint, every=100, prefix=b"metrics.") as lossy:
        ...
    lossy.lost  # how many
"""
import threading

import zmq


class Lossy:
    """Loses one of `every` events whose topic begins with `prefix`."""

    def __init__(self, events, endpoint, every, prefix):
        self.every, self.prefix = every, prefix
        self.seen = self.lost = 0
        self.context = zmq.Context()
        self.inside = self.context.socket(zmq.XSUB)
        self.inside.connect(events)
        self.outside = self.context.socket(zmq.XPUB)
        self.outside.bind(endpoint)
        self.is_ending = False
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_ending = True
        self.thread.join()
        self.context.destroy(linger=0)

    def _loses(self, topic):
        if not topic.startswith(self.prefix):
            return False
        self.seen += 1
        lost = self.seen % self.every == 0
        self.lost += lost
        return lost

    def _run(self):
        poller = zmq.Poller()
        poller.register(self.inside, zmq.POLLIN)
        poller.register(self.outside, zmq.POLLIN)
        while not self.is_ending:
            ready = dict(poller.poll(50))
            if self.inside in ready:
                frames = self.inside.recv_multipart()
                if not self._loses(frames[0]):
                    self.outside.send_multipart(frames)
            if self.outside in ready:
                self.inside.send_multipart(self.outside.recv_multipart())
