"""The background of a film by robust_svd, l1_svd, pcp and an ordinary SVD, with frames tampered with.

    python examples/video_background.py [FILM.npz] [--synthetic] [--out FOLDER]

A film is a matrix of pixels x frames. A fixed camera makes its background a matrix of rank one: the scene times the
light of every frame. Leaves move and walls do not, so every pixel is first divided by its own noise. FILM.npz holds `X`
(pixels x frames) and `height_width`; without it the film beside this script is used, or one that is made up
(--synthetic), whose background and moving objects are known.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import svdkit

HERE = Path(__file__).resolve().parent
THRESHOLD = 3.5  # deviations of the noise
MAD = 1.4826  # deviation of a normal distribution over its median absolute deviation


@dataclass
class Film:
    """Pixels x frames, and what they are measured against."""

    X: np.ndarray
    shape: tuple[int, int]
    background: np.ndarray  # pixels x frames: known, or a reference
    moving: np.ndarray  # where something is in front of it
    tampered: np.ndarray  # frames

    def noise(self) -> np.ndarray:
        """Robust deviation of every pixel in time, at least one grey level: pixels x 1."""
        away = np.abs(self.X - np.median(self.X, axis=1, keepdims=True))
        return np.maximum(MAD * np.median(away, axis=1, keepdims=True), 1)


@dataclass
class Answer:
    """Pixels x frames: the background, and where a frame is off it by more than 3.5 sigma."""

    background: np.ndarray
    mask: np.ndarray
    seconds: float


def load(path: Path) -> Film:
    """The reference of a real film is the median of every pixel over its frames, before anybody tampers with them."""
    with np.load(path) as file:
        X, (height, width) = file["X"].astype(np.float32), map(int, file["height_width"])
    background = np.repeat(np.median(X, axis=1, keepdims=True), X.shape[1], axis=1)
    film = Film(X, (height, width), background, np.empty(0), np.empty(0, int))
    film.moving = np.abs(X - background) > THRESHOLD * film.noise()
    return film


def make(height: int = 60, width: int = 80, frames: int = 120, seed: int = 0) -> Film:
    """Noise of deviation 3; two objects that pass, 40 grey levels brighter and darker; one parked 40 % of the time."""
    rng = np.random.default_rng(seed)
    scene = np.kron(rng.uniform(60, 180, (6, 8)), np.ones((height // 6, width // 8))).ravel()
    background = np.outer(scene, 1 + 0.03 * np.sin(np.arange(frames) / 9)).astype(np.float32)
    shade = np.zeros((height, width, frames), np.float32)
    for t in range(frames):
        shade[8:16, 2 * t % (width - 8) :, t][:, :8] = 40
        shade[28:36, (-3 * t) % (width - 8) :, t][:, :8] = -40
    shade[45:55, 30:42, : int(0.4 * frames)] = -40
    X = background + shade.reshape(background.shape) + 3 * rng.standard_normal(background.shape, np.float32)
    return Film(X, (height, width), background, shade.reshape(X.shape) != 0, np.empty(0, int))


def tamper(film: Film) -> Film:
    """A lens covered, a lens dazzled, a picture hung before it, and one frame of noise."""
    X, (height, width), frames = film.X.copy(), film.shape, film.X.shape[1]
    rng = np.random.default_rng(1)
    picture = np.indices((height, width)).sum(axis=0) // 8 % 2 * 200.0
    scenes = [np.zeros(height * width), np.full(height * width, 255.0), picture.ravel(), rng.uniform(0, 255, len(X))]
    places = np.array([0.2, 0.45, 0.6, 0.8]) * frames
    tampered = places.astype(int)
    X[:, tampered] = np.stack(scenes, axis=1)
    return Film(X, film.shape, film.background, film.moving, tampered)


def lit(result: svdkit.SVDResult) -> np.ndarray:
    """The fit of rank one. A light that cannot be, for nothing of the scene was seen, becomes the usual one."""
    light = result.Vh[0]
    usual = np.median(light)
    possible = (light > usual / 2) & (light < usual * 2)
    return np.outer(result.U[:, 0] * result.s[0], np.where(possible, light, usual))


def fit(film: Film) -> dict[str, Answer]:
    """The background by every method."""
    noise = film.noise()
    X = film.X / noise
    methods = {
        "tsvd": lambda: lit(svdkit.tsvd(X, 1)),
        "robust_svd": lambda: lit(svdkit.robust_svd(X, 1)),
        "l1_svd": lambda: lit(svdkit.l1_svd(X, 1)),
        "robust, l1 first": lambda: lit(svdkit.robust_svd(X, 1, init=svdkit.l1_svd(X, 1))),
        "pcp": lambda: svdkit.pcp(X, penalty="growing").reconstruct(),  # "balanced": optimal, and ten times the time
    }
    answers = {}
    for name, method in methods.items():
        begin = time.perf_counter()
        background = method()
        seconds = time.perf_counter() - begin
        residual = np.abs(X - background)
        answers[name] = Answer(background * noise, residual > THRESHOLD * MAD * np.median(residual), seconds)
    return answers


def judge(film: Film, answer: Answer) -> tuple[float, float]:
    """Over the frames nobody tampered with: RMSE of the background, F1 of the mask."""
    kept = np.setdiff1d(np.arange(film.X.shape[1]), film.tampered)
    error = (answer.background - film.background)[:, kept]
    found, moving = answer.mask[:, kept], film.moving[:, kept]
    f1 = 2 * np.count_nonzero(found & moving) / max(np.count_nonzero(found) + np.count_nonzero(moving), 1)
    return float(np.sqrt(np.mean(error**2))), f1


def draw(film: Film, answers: dict[str, Answer], path: Path) -> None:
    """An ordinary frame above, a tampered one below: frame, then background and mask of every method."""
    from matplotlib.figure import Figure

    frames = (film.X.shape[1] // 3, int(film.tampered[2]))
    figure = Figure(figsize=(2.6 * (1 + len(answers)), 8.4), layout="constrained")
    axes = figure.subplots(4, 1 + len(answers))
    for axis in axes.flat:
        axis.axis("off")
    for row, t in enumerate(frames):
        axes[2 * row, 0].imshow(film.X[:, t].reshape(film.shape), cmap="gray", vmin=0, vmax=255)
        axes[2 * row, 0].set_title(f"frame {t}" + (", tampered with" if t in film.tampered else ""))
        for column, (name, answer) in enumerate(answers.items(), start=1):
            background = answer.background[:, t].reshape(film.shape)
            mask = answer.mask[:, t].reshape(film.shape)
            axes[2 * row, column].imshow(background, cmap="gray", vmin=0, vmax=255)
            axes[2 * row, column].set_title(f"{name}: background")
            axes[2 * row + 1, column].imshow(mask, cmap="gray", vmin=0, vmax=1)
            axes[2 * row + 1, column].set_title(f"off by > {THRESHOLD} sigma")
    figure.savefig(path, dpi=60)


def main(arguments: list[str] | None = None) -> None:
    """Print the numbers, draw the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("film", type=Path, nargs="?", default=HERE / "walkers.npz", help="X and height_width (.npz)")
    parser.add_argument("--synthetic", action="store_true", help="a film that is made up, with known background")
    parser.add_argument("--out", type=Path, help="folder for the pictures")
    options = parser.parse_args(arguments)
    clean = make() if options.synthetic else load(options.film)
    name = "synthetic" if options.synthetic else options.film.stem
    for film in (clean, tamper(clean)):
        kind = f"{len(film.tampered)} frames tampered with" if film.tampered.size else "as it is"
        print(f"{name}, {film.X.shape[0]} pixels x {film.X.shape[1]} frames, {kind}")
        answers = fit(film)
        for method, answer in answers.items():
            rmse, f1 = judge(film, answer)
            print(f"  {method:<16} background RMSE {rmse:6.2f}   F1 {f1:5.3f}   {answer.seconds:6.2f} s")
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        draw(film, answers, options.out / f"{name}_background.png")


if __name__ == "__main__":
    main()
