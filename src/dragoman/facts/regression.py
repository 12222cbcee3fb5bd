"""A weighted sum whose weights are learned from one example after the other, from a prior on.

Recursive least squares (Plackett 1950) on relative errors: an example counts by how many per cent it is off, so a
prompt of ten tokens teaches as much as one of ten thousand. What lies far from the expected is taken in only so far
(Huber 1964), and old examples fade.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Regression"]

NOISE: Final = 0.05  # the relative error that is nobody's fault
_FADE: Final = 0.995
_TOO_FAR: Final = 4.0  # standard deviations


class Regression:
    """`weights` go with the features, `spread` is the covariance of what is not known of them."""

    __slots__ = ("count", "spread", "weights")

    def __init__(self, weights: Sequence[float], deviations: Sequence[float]) -> None:
        self.weights = list(weights)
        self.spread = [
            [deviation * deviation if row == column else 0.0 for column in range(len(deviations))]
            for row, deviation in enumerate(deviations)
        ]
        self.count = 0

    def predict(self, features: Sequence[float]) -> float:
        """The sum for these features."""
        return sum(map(float.__mul__, self.weights, features))

    def learn(self, features: Sequence[float], truth: float) -> None:
        """Takes one example in. `truth` is above 0."""
        scaled = [feature / truth for feature in features]
        present = [place for place, value in enumerate(scaled) if value]
        spread = self.spread
        gain = [sum(row[place] * scaled[place] for place in present) for row in spread]
        certain = sum(scaled[place] * gain[place] for place in present)
        off = 1.0 - sum(self.weights[place] * scaled[place] for place in present)
        noise = NOISE * NOISE
        expected = (certain + noise) ** 0.5
        if abs(off) > _TOO_FAR * expected:
            noise = max(noise, noise * abs(off) / (_TOO_FAR * NOISE))
            off = min(off, _TOO_FAR * expected) if off > 0 else max(off, -_TOO_FAR * expected)
        whole = certain + noise
        self.count += 1
        for row, value in enumerate(gain):
            if value:
                self.weights[row] += value * off / whole
                line = spread[row]
                share = value / whole
                for column, other in enumerate(gain):
                    line[column] = (line[column] - share * other) / _FADE
