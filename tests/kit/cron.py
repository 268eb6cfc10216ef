# SPDX-License-Identifier: MPL-2.0
"""cron - a model of when something is due that shares nothing with what it checks

It looks at every instant of a stretch of time: what clocks show is asked of Python's zoneinfo, and
of an expression it knows only whether a wall time fits.
"""
import bisect
import datetime

DAY = 24 * 3600


class Window:
    """Every instant of a stretch of time, one each `step` seconds, and what clocks show then."""

    def __init__(self, zone, first, last, step):
        self.first, self.last = first, last
        self.instants = range(first - 2 * DAY // step * step, last + DAY, step)
        self.walls = [datetime.datetime.fromtimestamp(at, zone).replace(tzinfo=None)
                      for at in self.instants]
        self.latest = []  # shown until then: when a time or a later one is first shown
        for wall in self.walls:
            self.latest.append(max(wall, self.latest[-1]) if self.latest else wall)
        self.step = datetime.timedelta(seconds=step)

    def expected(self, expression):
        due = set()
        if expression.goes_on:
            for at, wall in zip(self.instants, self.walls):
                if self.first < at <= self.last and expression.fits(wall):
                    due.add(at)
            return sorted(due)
        wall = self.walls[0]
        while wall <= self.latest[-1]:
            if expression.fits(wall):
                at = self.instants[bisect.bisect_left(self.latest, wall)]
                if self.first < at <= self.last:
                    due.add(at)
            wall += self.step
        return sorted(due)
