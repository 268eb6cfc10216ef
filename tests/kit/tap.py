# SPDX-License-Identifier: MPL-2.0
"""tap - checks that print the Test Anything Protocol; every script ends with `sys.exit(tap.done())`"""
import sys

_checks = 0
_failures = 0


def check(good, name, seen=None):
    """One check; `seen` explains a failure."""
    global _checks, _failures
    _checks += 1
    print(f"{'ok' if good else 'not ok'} {_checks} - {name}")
    if not good:
        _failures += 1
        if seen is not None:
            for line in str(seen).splitlines()[:40]:
                print(f"# {line}")
    sys.stdout.flush()
    return good


def same(seen, expected, name):
    """A check that two values are equal."""
    return check(seen == expected, name, f"got {seen!r}, expected {expected!r}")


def done():
    """Prints the plan; the exit status of the script."""
    print(f"1..{_checks}")
    return 1 if _failures else 0


def skip(reason):
    """Ends a script that cannot run here."""
    print(f"1..0 # SKIP {reason}")
    sys.exit(0)
