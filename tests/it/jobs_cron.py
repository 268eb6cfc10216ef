#!/usr/bin/env python3
# SPDX-License-Identifier: MPL-2.0
"""Cron expressions against a model of their own: Python's zoneinfo, and counting.

A hundred expressions, made at random (the same ones each time), in zones whose clocks are changed
in every way there is. The model looks at every minute, or second, around a change: it knows no
arithmetic of zones, and of expressions only the sets of values they were made from.
"""
import bisect
import datetime
import os
import random
import subprocess
import sys
import zoneinfo

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kit"))
import tap

UTC = datetime.timezone.utc
HOST = os.environ.get("CRON_HOST", "tests/it/cron_host")
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut",
         "Pacific/Apia", "America/Santiago", "Africa/Casablanca", "America/Havana",
         "Pacific/Chatham", "Antarctica/Troll", "America/Nuuk", "Asia/Tehran", "Europe/Dublin"]
HOUR = 3600
DAY = 24 * HOUR
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
WEEKDAYS = "SUN MON TUE WED THU FRI SAT".split()


def instant(*words):
    return int(datetime.datetime(*words, tzinfo=UTC).timestamp())


class Field:
    """A random field: its text, and the set of values it stands for."""

    def __init__(self, dice, low, high, names=(), plain=0.4):
        self.is_open = False
        if dice.random() < plain:
            self.text, self.values, self.is_open = "*", set(range(low, high + 1)), True
            return
        texts, self.values = [], set()
        for _ in range(dice.choice([1, 1, 1, 2, 3])):
            text, values = self.item(dice, low, high, names)
            texts.append(text)
            self.values |= values
        self.text = ",".join(texts)
        self.is_open = self.text.startswith("*")

    @staticmethod
    def item(dice, low, high, names):
        def word(value):
            return dice.choice([names[value - low], str(value)]) if names else str(value)

        kind = dice.choice(["one", "one", "range", "steps", "from", "range steps"])
        first, last = sorted(dice.choices(range(low, high + 1), k=2))
        step = dice.choice([2, 3, 5, 10, 15, 20, 30])
        step = min(step, high)
        if kind == "one":
            return word(first), {first}
        if kind == "range":
            return f"{word(first)}-{word(last)}", set(range(first, last + 1))
        if kind == "steps":
            return f"*/{step}", set(range(low, high + 1, step))
        if kind == "from":
            return f"{word(first)}/{step}", set(range(first, high + 1, step))
        return f"{word(first)}-{word(last)}/{step}", set(range(first, last + 1, step))


class Expression:
    """A random expression, and which wall times fit it."""

    def __init__(self, dice, with_seconds=False):
        self.second = Field(dice, 0, 59) if with_seconds else None
        self.minute = Field(dice, 0, 59, plain=0.2)
        self.hour = Field(dice, 0, 23)
        if dice.random() < 0.3:  # the hours in which clocks are changed
            self.hour.values = set(dice.sample(range(0, 4), 2))
            self.hour.text = ",".join(map(str, self.hour.values))
        self.day = Field(dice, 1, 31, plain=0.7)
        self.month = Field(dice, 1, 12, MONTHS, plain=0.8)
        self.weekday = Field(dice, 0, 6, WEEKDAYS, plain=0.7)
        self.last_day = dice.random() < 0.1
        if self.last_day:
            self.day.text += ",L"
        fields = [self.minute, self.hour, self.day, self.month, self.weekday]
        self.text = " ".join(f.text for f in ([self.second] if self.second else []) + fields)
        self.goes_on = len(self.hour.values) == 24

    def fits_date(self, date):
        of_month = date.day in self.day.values or (
            self.last_day and (date + datetime.timedelta(days=1)).day == 1)
        of_week = (date.weekday() + 1) % 7 in self.weekday.values
        of_day = of_month and of_week if self.day.is_open or self.weekday.is_open \
            else of_month or of_week
        return of_day and date.month in self.month.values

    def fits(self, wall):
        return (wall.minute in self.minute.values and wall.hour in self.hour.values
                and wall.second in (self.second.values if self.second else {0})
                and self.fits_date(wall.date()))


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


class Host:
    """cron_host, asked line by line."""

    def __init__(self):
        self.process = subprocess.Popen([HOST], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def due(self, zone, text, after, until):
        self.process.stdin.write(f"{zone}\t{text}\t{after}\t{until}\n")
        self.process.stdin.flush()
        return [int(word) for word in self.process.stdout.readline().split()]

    def stop(self):
        self.process.stdin.close()
        return self.process.wait()


def changes(zone):
    """The minutes in which the clocks of a zone were changed, from 2009 to 2050."""
    def offset(at):
        return datetime.datetime.fromtimestamp(at, zone).utcoffset()

    seen = []
    for at in range(instant(2009, 1, 1), instant(2050, 1, 1), 6 * HOUR):
        low, high = at, at + 6 * HOUR
        if offset(low) == offset(high):
            continue
        while high - low > 60:
            middle = (low + high) // 120 * 60
            low, high = (low, middle) if offset(middle) != offset(low) else (middle, high)
        seen.append(high)
    return seen


def compare(host, window, zone, expressions, problems):
    for expression in expressions:
        seen = host.due(zone, expression.text, window.first, window.last)
        expected = window.expected(expression)
        if seen != expected:
            problems.append(f"'{expression.text}' in {zone} after {window.first}: "
                            f"got {seen[:5]}, expected {expected[:5]}")


def test_minutes(host, dice):
    expressions = [Expression(dice) for _ in range(100)]
    turn = 0
    for name in ZONES:
        zone, problems = zoneinfo.ZoneInfo(name), []
        moments = changes(zone)
        starts = dice.sample(moments, min(6, len(moments))) + [
            dice.randrange(instant(2010, 1, 1), instant(2060, 1, 1), 60) for _ in range(2)]
        for i, moment in enumerate(starts):
            # asked long before a change, or shortly before or after it, when times are shown twice
            first = moment - (30 * HOUR if i % 2 else dice.randrange(-90, 90) * 60)
            window = Window(zone, first, moment + 30 * HOUR, 60)
            compare(host, window, name, [expressions[(turn + i) % 100] for i in range(11)],
                    problems)
            turn += 11
        tap.check(not problems, f"minutes in {name}, around {len(starts)} moments",
                  "\n".join(problems))


def test_seconds(host, dice):
    expressions = [Expression(dice, with_seconds=True) for _ in range(20)]
    for name in ["Europe/Berlin", "Australia/Lord_Howe"]:
        zone, problems = zoneinfo.ZoneInfo(name), []
        for start in dice.sample(changes(zone), 2):
            window = Window(zone, start - 7 * HOUR, start + HOUR, 1)
            compare(host, window, name, dice.sample(expressions, 3), problems)
        tap.check(not problems, f"seconds in {name}", "\n".join(problems))


def test_days(host, dice):
    """Years of noons, which no clock skips or shows twice."""
    first, last = instant(2023, 1, 1), instant(2034, 1, 1)
    problems = []
    for i in range(100):
        name = ZONES[i % len(ZONES)]
        zone, expression = zoneinfo.ZoneInfo(name), Expression(dice)
        text = " ".join(["0", "12"] + expression.text.split()[2:])
        expected = []
        day = datetime.date(2022, 12, 30)
        while day < datetime.date(2034, 1, 3):
            if expression.fits_date(day):
                noon = datetime.datetime.combine(day, datetime.time(12), zone).timestamp()
                expected += [int(noon)] if first < noon <= last else []
            day += datetime.timedelta(days=1)
        if host.due(name, text, first, last) != expected:
            problems.append(f"'{text}' in {name}")
    tap.check(not problems, "a hundred expressions over eleven years", "\n".join(problems))


def main():
    dice = random.Random(20261121)
    host = Host()
    test_minutes(host, dice)
    test_seconds(host, dice)
    test_days(host, dice)
    tap.same(host.stop(), 0, "the host ends well")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
