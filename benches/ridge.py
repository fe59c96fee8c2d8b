"""Ridge regression on flashed pictures, the baseline that twins of still-image recordings are held against.

    pip install numpy zarr
    python benches/ridge.py pe.zarr --fractions 0.125 0.25 0.5 1

Features are luminance and its standard deviation in 16 x 16 squares of the last frame of each picture; the response is the last one of a trial.
The penalty of each unit is the one of the highest correlation on validation pictures. Of each fraction, `--draws` random choices of training pictures
are fitted; printed is the median over units of the correlation with the mean response to test pictures, mean and range over the choices.
"""

import argparse

import numpy as np
import zarr

SQUARES = 16
PENALTIES = 10.0 ** np.arange(-1, 7)


def features(frames):
    """[n, H, W, C] to [n, 2 * SQUARES^2]."""
    grey = frames.astype(float) @ ([0.299, 0.587, 0.114] if frames.shape[-1] == 3 else [1.0])
    n, height, width = grey.shape
    h, w = height // SQUARES, width // SQUARES
    squares = grey[:, : h * SQUARES, : w * SQUARES].reshape(n, SQUARES, h, SQUARES, w)
    return np.concatenate([squares.mean((2, 4)).reshape(n, -1), squares.std((2, 4)).reshape(n, -1)], 1)


def pictures(recording):
    """Per picture: features [n, F], mean response [n, U], tier [n]."""
    meta, trials = dict(recording.attrs), dict(recording.attrs)["trials"]
    video, response = recording["video"][:], recording["response"][:]
    starts = np.array(meta["videos"]["start"])
    at = np.array(trials["video"])
    last = np.array(trials["start"]) + np.array(trials["frames"]) - 1
    shown = starts[at] + np.array(trials["video_start"]) + np.array(trials["frames"]) - 1
    tiers = np.array(trials["tier"])
    each = np.unique(at)
    mean = np.stack([np.nanmean(response[last[at == v]], 0) for v in each])
    frames = np.stack([video[shown[at == v][0]] for v in each])
    return features(frames), mean, np.array([tiers[at == v][0] for v in each])


def correlation(a, b):
    """Pearson of columns, over pictures where both are there."""
    out = np.full(a.shape[1], np.nan)
    for u in range(a.shape[1]):
        both = np.isfinite(a[:, u]) & np.isfinite(b[:, u])
        if both.sum() > 2 and a[both, u].std() > 0 and b[both, u].std() > 0:
            out[u] = np.corrcoef(a[both, u], b[both, u])[0, 1]
    return out


def fit(x, y, kept, x_valid, y_valid, x_test):
    """Predictions [n, U] for test pictures from ridge on the kept training pictures."""
    center, scale = x[kept].mean(0), x[kept].std(0) + 1e-9
    z, zv, zt = ((v - center) / scale for v in (x[kept], x_valid, x_test))
    mean = y[kept].mean(0)
    u, s, vt = np.linalg.svd(z, full_matrices=False)
    projected = u.T @ (y[kept] - mean)
    best, chosen = np.full(y.shape[1], -np.inf), np.zeros((len(zt), y.shape[1]))
    for penalty in PENALTIES:
        weights = vt.T @ ((s / (s**2 + penalty))[:, None] * projected)
        score = np.nan_to_num(correlation(zv @ weights, y_valid), nan=-1.0)
        better = score > best
        best[better] = score[better]
        chosen[:, better] = (zt @ weights + mean)[:, better]
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording")
    parser.add_argument("--fractions", type=float, nargs="+", default=[1.0])
    parser.add_argument("--draws", type=int, default=10)
    options = parser.parse_args()
    x, y, tier = pictures(zarr.open_group(options.recording, mode="r"))
    train, valid, test = (tier == name for name in ("train", "validation", "test"))
    measured = np.isfinite(y[train]).all(1)
    x_train, y_train = x[train][measured], y[train][measured]
    rng = np.random.default_rng(0)
    print(f"{len(x_train)} training, {valid.sum()} validation, {test.sum()} test pictures, {y.shape[1]} units")
    for fraction in options.fractions:
        count = max(2, round(fraction * len(x_train)))
        draws = options.draws if count < len(x_train) else 1
        medians = []
        for _ in range(draws):
            kept = rng.permutation(len(x_train))[:count]
            predicted = fit(x_train, y_train, kept, x[valid], y[valid], x[test])
            medians.append(np.nanmedian(correlation(predicted, y[test])))
        print(f"{fraction:6.3f}  {count:5d} pictures  median r {np.mean(medians):.3f}  ({min(medians):.3f} to {max(medians):.3f}, {draws} choices)")


if __name__ == "__main__":
    main()
