# SPDX-License-Identifier: MPL-2.0
"""jwt - access tokens for tests: Ed25519 as RFC 8032, 6 writes it, and tokens good and bad

Slow and not safe against anybody who measures: for tests alone.
"""
import base64
import hashlib
import hmac
import json
import time

P = 2 ** 255 - 19
L = 2 ** 252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def _add(a, b):
    x = (a[1] - a[0]) * (b[1] - b[0]) % P
    y = (a[1] + a[0]) * (b[1] + b[0]) % P
    z, t = 2 * a[2] * b[2] % P, 2 * a[3] * b[3] * D % P
    e, f, g, h = y - x, z - t, z + t, y + x
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _multiply(number, point):
    result = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = _add(result, point)
        point = _add(point, point)
        number >>= 1
    return result


_Y = 4 * pow(5, P - 2, P) % P
_X2 = (_Y * _Y - 1) * pow(D * _Y * _Y + 1, P - 2, P) % P
_X = pow(_X2, (P + 3) // 8, P)
if (_X * _X - _X2) % P:
    _X = _X * pow(2, (P - 1) // 4, P) % P
if _X % 2:
    _X = P - _X
BASE = (_X, _Y, 1, _X * _Y % P)


def _compress(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _number(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little") % L


class Key:
    """A signing key."""

    def __init__(self, kid, seed):
        digest = hashlib.sha512(seed).digest()
        self.kid = kid
        self.scalar = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
        self.prefix = digest[32:]
        self.x = _compress(_multiply(self.scalar, BASE))

    def sign(self, message):
        """RFC 8032, 5.1.6."""
        r = _number(self.prefix, message)
        point = _compress(_multiply(r, BASE))
        s = (r + _number(point, self.x, message) * self.scalar) % L
        return point + s.to_bytes(32, "little")


def encode(data):
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def claims(**changes):
    """What a good token says; a value of None leaves a claim out."""
    now = int(time.time())
    good = {"iss": "signalbox", "aud": "signalbox-api", "sub": "u1", "acc": "a1", "sid": "s1",
            "jti": "j1", "iat": now, "exp": now + 600, "tier": "free", "roles": ["user"],
            "scope": "*"}
    return {name: value for name, value in {**good, **changes}.items() if value is not None}


def token(key, body, header=None, sign=None):
    """A signed token; `body` is claims or text, `header` replaces the right one."""
    header = header if header is not None else {"alg": "EdDSA", "typ": "at+jwt", "kid": key.kid}
    parts = [encode((part if isinstance(part, str) else json.dumps(part)).encode())
             for part in (header, body)]
    message = ".".join(parts).encode()
    return ".".join([*parts, encode((sign or key.sign)(message))])


def hs256(secret):
    """Signs with a shared secret: the public key, in the hands of an attacker."""
    return lambda message: hmac.new(secret, message, hashlib.sha256).digest()
