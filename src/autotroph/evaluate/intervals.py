"""Intervals: of a share, of a paired difference, with tasks that depend on one another or not."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from autotroph.core.errors import AutotrophError

Interval = tuple[float, float]


def wilson(mean: float, n: int) -> Interval:
    """95% Wilson score interval of a share (Wilson 1927); partial scores count as round(mean * n) solved tasks."""
    if n == 0:
        return 0.0, 1.0
    from scipy.stats import binomtest  # takes half a second, which a resumed run need not wait for

    interval = binomtest(round(mean * n), n).proportion_ci(confidence_level=0.95, method="wilson")
    return float(interval.low), float(interval.high)


def rate_below(events: int, n: int, confidence: float = 0.95) -> float:
    """Exact upper bound of a rate of which `events` were seen in n independent trials (Clopper and Pearson 1934).

    1 - (1 - confidence)^(1/n) where none was seen: no loss in 299 tasks bounds the rate at 1%. 1 where n = events.
    """
    from scipy.stats import beta

    return float(beta.ppf(confidence, events + 1, n - events)) if events < n else 1.0


def paired_interval(
    differences: Sequence[float], clusters: Sequence[Hashable] | None = None, confidence: float = 0.95
) -> Interval:
    """Student interval of the mean difference, its standard error robust to dependence within clusters.

    With G clusters, s^2 = G/(G-1) sum_c (sum_{i in c} (x_i - mean))^2 / n^2 and G - 1 degrees of freedom (Liang and
    Zeger 1986; arXiv:2411.00640 for language models). Where every task is its own cluster this is the paired t
    interval. Raises AutotrophError for fewer than two clusters.
    """
    from scipy.stats import t

    sums, sizes = _by_cluster(differences, clusters)
    mean, _, error = _fit(sums, sizes)
    reach = t.ppf((1 + confidence) / 2, len(sums) - 1) * error
    return float(mean - reach), float(mean + reach)


def bootstrap_interval(
    differences: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
    resamples: int = 2000,
    seed: int = 0,
) -> Interval:
    """Wild cluster bootstrap interval of the mean difference (Cameron, Gelbach and Miller 2008, bootstrap-t).

    Each resample turns the sign of whole clusters' residuals at random; the quantile of |mean* - mean| / error* takes
    the place of Student's, which reckons with normal ones. Within [-1, 1], where all differences lie. Raises
    AutotrophError for fewer than two clusters.
    """
    sums, sizes = _by_cluster(differences, clusters)
    mean, residuals, error = _fit(sums, sizes)
    n, g = sizes.sum(), len(sizes)
    (r, z), counts = np.unique(np.stack([residuals, sizes]), axis=1, return_counts=True)
    signs = 2 * np.random.default_rng(seed).binomial(counts, 0.5, (resamples, len(counts))) - counts
    away = signs @ r / n
    squares = counts @ r**2 - 2 * away * (signs @ (r * z)) + away**2 * (counts @ z**2)
    errors = np.sqrt(g / (g - 1) * np.maximum(squares, 0)) / n
    reach = error * np.quantile(np.abs(away) / np.maximum(errors, 1e-9), confidence)
    return max(-1.0, float(mean - reach)), min(1.0, float(mean + reach))


def _fit(sums: np.ndarray, sizes: np.ndarray) -> tuple[float, np.ndarray, float]:
    """Mean over tasks, each cluster's residual sum, and the standard error of the mean."""
    n, g = sizes.sum(), len(sizes)
    residuals = sums - sums.sum() / n * sizes
    return sums.sum() / n, residuals, float(np.sqrt(g / (g - 1) * np.sum(residuals**2)) / n)


def _by_cluster(differences: Sequence[float], clusters: Sequence[Hashable] | None) -> tuple[np.ndarray, np.ndarray]:
    """Sum and number of the differences of each cluster."""
    values = np.asarray(differences, dtype=float)
    names = range(len(values)) if clusters is None else clusters
    order: dict[Hashable, int] = {}
    index = np.array([order.setdefault(name, len(order)) for name in names], dtype=int)
    if len(index) != len(values) or len(order) < 2:
        raise AutotrophError(
            f"interval: {len(values)} differences in {len(order)} clusters; give two clusters or more, one name a task"
        )
    return np.bincount(index, values), np.bincount(index).astype(float)
