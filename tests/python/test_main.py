"""python -m svdkit: every file format, the options, the exit status, and the demonstration."""

import gzip
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp
import svdkit
from reference import check_svd, path_incidence, random_sparse, singular_values
from svdkit.__main__ import main


@pytest.fixture
def a(rng):
    return rng.standard_normal((40, 25))


def write_npy(path, a):
    np.save(path, a)


def write_npy_fortran(path, a):
    np.save(path, np.asfortranarray(a))


def write_npz_array(path, a):
    np.savez(path, a=a, labels=np.arange(3))


def write_npz_sparse(path, a):
    sp.save_npz(path, sp.csr_array(a))


def write_mtx(path, a):
    scipy.io.mmwrite(path, sp.coo_array(a))


def write_mtx_dense(path, a):
    scipy.io.mmwrite(path, a)


def write_mtx_gz(path, a):
    with gzip.open(path, "wb") as file:
        scipy.io.mmwrite(file, sp.coo_array(a))


def write_csv(path, a):
    np.savetxt(path, a, delimiter=",")


def write_csv_header(path, a):
    np.savetxt(path, a, delimiter=",", header=",".join(f"x{j}" for j in range(a.shape[1])), comments="")


FILES = {
    "a.npy": write_npy,
    "fortran.npy": write_npy_fortran,
    "array.npz": write_npz_array,
    "sparse.npz": write_npz_sparse,
    "a.mtx": write_mtx,
    "dense.mtx": write_mtx_dense,
    "a.mtx.gz": write_mtx_gz,
    "a.csv": write_csv,
    "header.csv": write_csv_header,
    "UPPER.CSV": write_csv,
}


def shows(text, values):
    """Whether every value is among the numbers of a text, to six digits."""
    numbers = np.array([float(word) for word in re.findall(r"\d+\.\d+", text)])
    return all(np.abs(numbers - value).min() <= 1e-6 * value for value in values)


@pytest.mark.parametrize("name", FILES)
def test_files(name, a, tmp_path, capsys):
    FILES[name](tmp_path / name, a)
    assert main(["tsvd", str(tmp_path / name), "-k", "4", "-o", str(tmp_path / "out.npz")]) == 0
    result = svdkit.load(tmp_path / "out.npz")
    check_svd(a, result, 4)
    printed = capsys.readouterr().out
    assert "40 x 25" in printed and shows(printed, singular_values(a)[:4])


def test_real_file(data_path, tmp_path):
    path = data_path / "lp_stair.mtx.gz"
    assert main(["tsvd", str(path), "-k", "10", "-o", str(tmp_path / "out.npz")]) == 0
    check_svd(scipy.io.mmread(path), svdkit.load(tmp_path / "out.npz"), 10)


def test_options(a, tmp_path):
    np.save(tmp_path / "a.npy", a)
    arguments = ["tsvd", str(tmp_path / "a.npy"), "-k", "3", "--output", str(tmp_path / "out.npz")]
    arguments += ["--tol", "1e-6", "--method", "lanczos", "--center", "--seed", "5", "--threads", "1"]
    assert main(arguments) == 0
    result = svdkit.load(tmp_path / "out.npz")
    check_svd(a - a.mean(axis=0), result, 3, tol=1e-6, value_tol=1e-9)
    assert (result.report.method, result.report.seed, result.report.threads) == ("lanczos", 5, 1)
    assert main([*arguments[:4], "--which", "smallest"]) == 0


def test_plot(a, tmp_path):
    from matplotlib import pyplot

    np.save(tmp_path / "a.npy", a)
    assert main(["tsvd", str(tmp_path / "a.npy"), "-k", "9", "--plot", str(tmp_path / "scree.png")]) == 0
    check_picture(pyplot.imread(tmp_path / "scree.png"))


def check_picture(pixels):
    """A picture with a white ground, dark lettering and something in colour."""
    assert pixels.shape[0] >= 200 and pixels.shape[1] >= 300
    rgb = pixels[..., :3].astype(float)
    assert rgb.max() == 1.0 and rgb.min() < 0.3
    assert 0.005 < np.mean(rgb.min(axis=2) < 0.9) < 0.6
    assert np.mean(np.ptp(rgb, axis=2) > 0.2) > 5e-4


def test_not_converged_is_status_one(tmp_path, capsys):
    sp.save_npz(tmp_path / "path.npz", path_incidence(30_000)[0])
    arguments = ["tsvd", str(tmp_path / "path.npz"), "-k", "20", "--tol", "1e-14", "--time-limit", "0.2"]
    assert main(arguments) == 1
    assert "NOT" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.npy", None, "missing.npy"),
        ("a.txt", b"1 2 3", "a.txt"),
        ("bad.csv", b"1,2\n3\n", ""),
        ("words.csv", b"a,b\nc,d\n", ""),
        ("bad.npy", b"not numpy", ""),
        ("bad.mtx", b"%%MatrixMarket nonsense\n", ""),
        ("nan.csv", b"1,2\n3,nan\n", "1, 1"),
    ],
)
def test_unusable_files_are_status_two(name, content, words, tmp_path, capsys):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert main(["tsvd", str(tmp_path / name), "-k", "1"]) == 2
    out, err = capsys.readouterr()
    assert out == "" or name in out
    assert err.startswith("svdkit: ") and words in err and "Traceback" not in err


def test_npz_with_several_matrices(tmp_path, capsys):
    np.savez(tmp_path / "two.npz", a=np.eye(3), b=np.eye(4))
    assert main(["tsvd", str(tmp_path / "two.npz"), "-k", "1"]) == 2
    assert "exactly one" in capsys.readouterr().err


def test_wrong_k(a, tmp_path, capsys):
    np.save(tmp_path / "a.npy", a)
    assert main(["tsvd", str(tmp_path / "a.npy"), "-k", "99"]) == 2
    assert "k = 99" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["tsvd"], ["tsvd", "a.npy"], ["tsvd", "a.npy", "-k", "x"]])
def test_wrong_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2 and "usage" in capsys.readouterr().err


def run(*arguments, cwd):
    return subprocess.run(
        [sys.executable, "-m", "svdkit", *arguments],
        cwd=cwd,
        env={**os.environ, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_as_a_program(a, tmp_path):
    np.save(tmp_path / "a.npy", a)
    done = run("tsvd", "a.npy", "-k", "3", "-o", "out.npz", cwd=tmp_path)
    assert done.returncode == 0 and done.stderr == ""
    check_svd(a, svdkit.load(tmp_path / "out.npz"), 3)
    assert run("--version", cwd=tmp_path).stdout.strip() == f"svdkit {svdkit.__version__}"
    assert run("tsvd", "nothing.npy", "-k", "3", cwd=tmp_path).returncode == 2


def test_demo(tmp_path):
    from matplotlib import pyplot

    done = run("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "1189 x 8524" in done.stdout and "NOT" not in done.stdout
    pictures = list(tmp_path.glob("*.png"))
    assert len(pictures) == 1 and str(pictures[0]) in done.stdout
    check_picture(pyplot.imread(pictures[0]))
    for word in ("passes", "residual", "lord", "king"):  # table, time and passes, topics
        assert word in done.stdout.lower()


def test_demo_values(tmp_path):
    """The table of the demonstration holds the singular values of the bundled matrix."""
    from importlib.resources import as_file, files

    with as_file(files("svdkit") / "data" / "kjv_chapter_tfidf.npz") as path:
        a = sp.load_npz(path)
    assert a.shape == (1189, 8524)
    exact = np.sqrt(np.linalg.eigvalsh((a.astype(float) @ a.T.astype(float)).toarray())[::-1][:5])
    done = run("demo", "-k", "5", cwd=tmp_path)
    assert shows(done.stdout, exact)


def test_random_sparse_file_keeps_its_precision(rng, tmp_path):
    sp.save_npz(tmp_path / "single.npz", random_sparse(rng, 60, 40, 0.2, "float32"))
    assert main(["tsvd", str(tmp_path / "single.npz"), "-k", "3", "-o", str(tmp_path / "out.npz")]) == 0
    assert svdkit.load(tmp_path / "out.npz").dtype == np.float32
