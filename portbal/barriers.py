"""Does a Brownian path touch a level, and which of two does it touch first?

The path starts at 0 and runs over one horizon, at whose end it has the mean ``drift`` and the
standard deviation ``deviation``. A level is a signed distance from the start. For a price that
follows a geometric Brownian path all of these are of its logarithm.
"""

from __future__ import annotations

from math import exp, expm1, inf, pi, sin, sqrt

# a smaller deviation is none: the path is a straight line
_STILL = 1e-100
# of a logarithm of prices, on a straight line
_ROUNDING = 1e-12
# drift times width below which the drift does not tell two barriers apart
_DRIFTLESS = 1e-16
# deviations between two barriers: images converge above, eigenfunctions below
_WIDE = 3.0
# deviations between two barriers below which no path lasts a whole horizon between them
_NARROW = 0.05
# terms of either series; the next one is below 1e-50 of the first
_IMAGES = 6
_WAVES = 16


def touch(level: float, drift: float, deviation: float) -> float:
    """The chance that the path touches the level within the horizon.

    The reflection principle with drift (Borodin and Salminen 2002, Handbook of Brownian Motion,
    part II, formula 2.1.1.4); a level of 0 is touched at once. Without deviation the path is a
    straight line, which touches what lies on it, both ends included.
    """
    if level == 0:
        return 1.0
    if deviation < _STILL:
        return float(_time(level, drift) <= 1)
    sign = 1.0 if level > 0 else -1.0
    return min(_passes(sign * level / deviation, sign * drift / deviation), 1.0)


def first_touch(
    one: float, other: float, drift: float, deviation: float
) -> tuple[float, float]:
    """The chances that ``one`` is touched before ``other``, and ``other`` before ``one``, within
    the horizon; what they lack of 1 is the chance that neither is touched.

    Of two levels on the same side only the nearer can be first; where both are touched at once,
    it is ``other``. Between two barriers the density of the first passage (Borodin and Salminen
    2002, part II, formula 2.3.0.6) is integrated term by term: as a sum of images where the
    barriers are far apart, as what lies beyond the horizon in the eigenfunctions, taken from the
    chance without a horizon, where they are near.
    """
    if other == 0 or one == 0:
        return (0.0, 1.0) if other == 0 else (1.0, 0.0)
    if (one > 0) == (other > 0):
        if abs(one) < abs(other):
            return touch(one, drift, deviation), 0.0
        return 0.0, touch(other, drift, deviation)
    if deviation < _STILL:
        return touch(one, drift, deviation), touch(other, drift, deviation)
    sign = 1.0 if one > 0 else -1.0
    a, b, v = abs(one) / deviation, abs(other) / deviation, sign * drift / deviation
    return _exits(a, b, v), _exits(b, a, -v)


def _time(level: float, drift: float) -> float:
    """When a straight line reaches a level other than 0, in horizons."""
    if level * drift <= 0:
        return inf
    return 1.0 if abs(abs(level) - abs(drift)) <= _ROUNDING else level / drift


def _passes(a: float, v: float) -> float:
    """Of a path with deviation 1 and mean v: its chance to touch a > 0."""
    from scipy.special import ndtr

    return float(ndtr(v - a)) + _reflected(a, a, v)


def _reflected(a: float, c: float, v: float) -> float:
    """exp(v (a + c)) Phi(-c - v) for c >= a > 0, where neither factor may overflow."""
    from scipy.special import erfcx, ndtr

    if c + v < 0:
        return exp(v * (a + c)) * float(ndtr(-c - v))
    return _weight(a, c, v) * float(erfcx((c + v) / sqrt(2)))


def _direct(a: float, c: float, v: float) -> float:
    """exp(v (a - c)) Phi(v - c) for c >= a > 0, where neither factor may overflow."""
    from scipy.special import erfcx, ndtr

    if v > c:
        return exp(v * (a - c)) * float(ndtr(v - c))
    return _weight(a, c, v) * float(erfcx((c - v) / sqrt(2)))


def _weight(a: float, c: float, v: float) -> float:
    return exp((a - c) * (a + c) / 2 - (v - a) * (v - a) / 2) / 2


def _exits(a: float, b: float, v: float) -> float:
    """Of a path with deviation 1 and mean v: its chance to touch a before -b, by time 1."""
    found = _by_images(a, b, v) if a + b > _WIDE else _ever(a, b, v) - _later(a, b, v)
    return min(max(found, 0.0), 1.0)


def _by_images(a: float, b: float, v: float) -> float:
    """The sum over images of the start, of which every second one counts negatively."""
    total = 0.0
    for m in range(_IMAGES):
        near = a + 2 * m * (a + b)
        far = near + 2 * b
        total += _direct(a, near, v) + _reflected(a, near, v)
        total -= _direct(a, far, v) + _reflected(a, far, v)
    return total


def _ever(a: float, b: float, v: float) -> float:
    """Without a horizon: the gambler's ruin."""
    width = a + b
    if abs(v) * width < _DRIFTLESS:
        return b / width
    rate = 2 * abs(v)
    ratio = expm1(-rate * b) / expm1(-rate * width)
    return ratio if v > 0 else exp(-rate * a) * ratio


def _later(a: float, b: float, v: float) -> float:
    """The chance to touch a before -b, after time 1; a + b is at most 3."""
    width = a + b
    if width < _NARROW:
        return 0.0
    total = 0.0
    for n in range(1, _WAVES):
        wave = n * pi / width
        decay = (wave * wave + v * v) / 2
        # v (a - v / 2) without its overflow
        size = exp(a * a / 2 - (v - a) * (v - a) / 2 - wave * wave / 2)
        total += n * sin(wave * a) * size / decay
    return total * pi / (width * width)
