"""Circles that push one another about until none overlaps, while all of them grow."""

import random

SEED = 1
ROUNDS = 12
TURNS = 300
STEP = 0.02
GROWTH = 0.02
PRESSURE = 8.0
COOLING = 0.5
START = 0.08
KICK = 0.05


def solve(n, shape):
    rng = random.Random(SEED)
    best, best_sum = None, -1.0
    for _ in range(ROUNDS):
        circles = relaxed(scattered(n, rng, best))
        fitted = fit(circles)
        total = sum(r for _, _, r in fitted)
        if total > best_sum:
            best, best_sum = fitted, total
    return best


def scattered(n, rng, best):
    if best is None or rng.random() < 0.3:
        return [[rng.random(), rng.random(), START] for _ in range(n)]
    return [[x + rng.gauss(0, KICK), y + rng.gauss(0, KICK), r] for x, y, r in best]


def relaxed(circles):
    """Gradient steps on the sum of radii less what overlaps, with the pressure growing."""
    n = len(circles)
    pressure, step = PRESSURE, STEP
    for _ in range(TURNS):
        moves = [[0.0, 0.0, 1.0] for _ in range(n)]
        for i in range(n):
            x, y, r = circles[i]
            move = moves[i]
            for out, axis, sign in ((r - x, 0, 1.0), (x + r - 1, 0, -1.0), (r - y, 1, 1.0), (y + r - 1, 1, -1.0)):
                if out > 0:
                    move[axis] += sign * pressure * out * 2
                    move[2] -= pressure * out * 2
            for j in range(i):
                ox, oy, orr = circles[j]
                dx, dy = x - ox, y - oy
                reach = r + orr
                if -reach < dx < reach and -reach < dy < reach:
                    d = (dx * dx + dy * dy) ** 0.5 + 1e-12
                    out = reach - d
                    if out > 0:
                        push = pressure * out * 2
                        other = moves[j]
                        move[0] += push * dx / d
                        move[1] += push * dy / d
                        other[0] -= push * dx / d
                        other[1] -= push * dy / d
                        move[2] -= push
                        other[2] -= push
        for circle, (mx, my, mr) in zip(circles, moves, strict=True):
            circle[0] += step * mx
            circle[1] += step * my
            circle[2] = max(0.001, circle[2] + step * mr)
        pressure *= 1 + GROWTH
        step = min(STEP, COOLING / pressure / 4)
    return circles


def fit(circles):
    """Radii, one after the other, as large as borders and the others leave room for."""
    n = len(circles)
    points = [(min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)) for x, y, _ in circles]
    radii = [max(r, 0.0) for _, _, r in circles]
    for i in range(n):
        x, y = points[i]
        radii[i] = min(radii[i], x, 1 - x, y, 1 - y)
    for i in range(n):
        for j in range(i):
            d = ((points[i][0] - points[j][0]) ** 2 + (points[i][1] - points[j][1]) ** 2) ** 0.5
            over = radii[i] + radii[j] - d
            if over > 0:
                radii[i] = max(0.0, radii[i] - over / 2)
                radii[j] = max(0.0, radii[j] - over / 2)
    for _ in range(2):
        for i in range(n):
            x, y = points[i]
            room = min(x, 1 - x, y, 1 - y)
            for j in range(n):
                if j != i:
                    d = ((x - points[j][0]) ** 2 + (y - points[j][1]) ** 2) ** 0.5
                    room = min(room, d - radii[j])
            radii[i] = max(0.0, room)
    return [[x, y, r * (1 - 1e-9)] for (x, y), r in zip(points, radii, strict=True)]
