"""A network as a header of C: it compiles anywhere without a warning, and comes to the same."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest

import deltaprop as dp
from deltaprop.errors import SettingError
from helpers.networks_out import EVERY, drawn

STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion"]
CALLED = """#include "{name}.h"
void run(const float *x, float *p) {{ {name}_predict(x, p); }}
int largest(const float *p) {{ return {name}_largest(p); }}
int wrong(void) {{ return {name}_self_test(); }}
"""
SMALL = {
    "avr-gcc": ["-mmcu=atmega328p", "-Os"],
    "arm-none-eabi-gcc": ["-mcpu=cortex-m4", "-mthumb", "-Os"],
}


@pytest.fixture(scope="module")
def compiler():
    found = shutil.which("cc") or shutil.which("gcc")
    if found is None:
        pytest.skip("no C compiler")
    return found


class Compiled:
    def __init__(self, compiler, folder, network, parameters, dtype="float32", name="model"):
        (folder / f"{name}.h").write_text(dp.to_c(network, parameters, name, dtype), "utf-8")
        (folder / "called.c").write_text(CALLED.format(name=name), "utf-8")
        where = folder / f"{name}.so"
        subprocess.run(
            [compiler, *STRICT, "-O1", "-shared", "-fPIC", "-o", where, folder / "called.c", "-lm"],
            check=True,
        )
        self.library, self.n_out = ctypes.CDLL(str(where)), network.n_out

    def predict(self, x):
        p = np.empty((len(x), self.n_out), np.float32)
        pointer = ctypes.POINTER(ctypes.c_float)
        for row, out in zip(np.ascontiguousarray(x, np.float32), p, strict=True):
            self.library.run(row.ctypes.data_as(pointer), out.ctypes.data_as(pointer))
        return p


@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize("network", EVERY.values(), ids=EVERY)
@pytest.mark.one_in(15)
def test_every_network_compiles_and_gives_the_same_numbers(compiler, network, dtype, rng, tmp_path):
    parameters, x, p = drawn(network, rng, far=1.0)
    compiled = Compiled(compiler, tmp_path, network, parameters, dtype)
    assert compiled.library.wrong() == 0
    if dtype == "float32":
        np.testing.assert_allclose(compiled.predict(x), p, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("network", [EVERY["gelu"], EVERY["as RealMLP has them"]])
def test_it_is_clean_under_sanitizers_as_a_program(compiler, network, rng, tmp_path):
    parameters, _, _ = drawn(network, rng)
    header = tmp_path / "model.h"
    header.write_text(dp.to_c(network, parameters), "utf-8")
    program = tmp_path / "program"
    found = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-DMODEL_MAIN"]
    built = subprocess.run(
        [compiler, *STRICT, *found, "-x", "c", header, "-o", program, "-lm"], capture_output=True
    )
    if b"cannot find" in built.stderr:
        pytest.skip("no sanitizers")
    assert built.stderr == b""
    assert subprocess.run([program]).returncode == 0


@pytest.mark.parametrize("machine", SMALL)
def test_it_compiles_for_small_machines(machine, rng, tmp_path):
    if shutil.which(machine) is None:
        pytest.skip(f"no {machine}")
    for name in ("gelu", "as RealMLP has them"):
        network = EVERY[name]
        parameters, _, _ = drawn(network, rng)
        (tmp_path / "model.h").write_text(dp.to_c(network, parameters, dtype="int8"), "utf-8")
        (tmp_path / "called.c").write_text(CALLED.format(name="model"), "utf-8")
        subprocess.run(
            [machine, "-std=c99", "-Wall", "-Wextra", "-Werror", *SMALL[machine], "-c", "-o",
             tmp_path / "called.o", tmp_path / "called.c"],
            check=True,
        )  # fmt: skip


def test_the_self_test_finds_a_wrong_number(compiler, rng, tmp_path):
    network = dp.Network([3, 4, 2])
    parameters, _, _ = drawn(network, rng)
    compiled = Compiled(compiler, tmp_path, network, parameters)
    assert compiled.library.wrong() == 0
    text = (tmp_path / "model.h").read_text("utf-8")
    first = text.index("{\n    ", text.index("model_b2")) + 6
    (tmp_path / "model.h").write_text(text[:first] + "9.5f + " + text[first:], "utf-8")
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-o", tmp_path / "w.so", tmp_path / "called.c", "-lm"],
        check=True,
    )
    assert ctypes.CDLL(str(tmp_path / "w.so")).wrong() > 0


def test_it_takes_a_name_and_allocates_nothing(compiler, rng, tmp_path):
    network = dp.Network([3, 4, 2], "tanh")
    parameters, x, _ = drawn(network, rng)
    compiled = Compiled(compiler, tmp_path, network, parameters, name="flowers_2")
    for row in compiled.predict(x):
        pointer = row.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
        assert compiled.library.largest(pointer) == row.argmax()
    assert "alloc" not in (tmp_path / "flowers_2.h").read_text("utf-8").replace("allocation", "")


@pytest.mark.slow
def test_int8_loses_no_more_than_a_point_on_ten_tables(compiler, tmp_path):
    from sklearn import datasets
    from sklearn.preprocessing import scale

    tables = [
        getattr(datasets, f"load_{name}")(return_X_y=True)
        for name in ("iris", "wine", "breast_cancer", "digits")
    ]
    tables += [
        datasets.make_classification(
            600, 12, n_informative=6, n_classes=classes, n_clusters_per_class=1, random_state=seed
        )
        for seed, classes in enumerate((2, 3, 4))
    ]
    tables += [datasets.make_moons(500, noise=0.2, random_state=0)]
    tables += [datasets.make_circles(500, noise=0.1, factor=0.5, random_state=0)]
    tables += [datasets.make_blobs(500, centers=5, random_state=3)]
    assert len(tables) == 10
    for number, (X, y) in enumerate(tables):
        x = scale(X)
        network = dp.Network([x.shape[1], 32, 16, len(np.unique(y))], "relu")
        parameters = network.init(np.random.default_rng(number))
        dp.train(network, parameters, x[::2], y[::2], epochs=60, batch_size=16)
        whole = dp.predict(network, parameters, x[1::2]).argmax(axis=1)
        compiled = Compiled(compiler, tmp_path, network, parameters, "int8", name=f"table{number}")
        rounded = compiled.predict(x[1::2]).argmax(axis=1)
        right = [np.mean(each == y[1::2]) for each in (whole, rounded)]
        assert right[1] >= right[0] - 0.01, (number, right)


@pytest.mark.parametrize(
    ("told", "match"),
    [
        ({"name": "2model"}, "name is '2model'"), ({"name": "a b"}, "name is 'a b'"),
        ({"dtype": "int4"}, "dtype is 'int4'; it is float32 or int8"),
    ],
)  # fmt: skip
def test_what_it_cannot_be_is_said(told, match):
    network = dp.Network([2, 2])
    with pytest.raises(SettingError, match=match):
        dp.to_c(network, network.init(np.random.default_rng(0)), **told)


def test_a_number_that_float32_has_not_is_refused():
    network = dp.Network([2, 2])
    parameters = network.init(np.random.default_rng(0))
    for number in (1e39, np.nan):
        parameters.flat[0] = number
        with pytest.raises(SettingError, match="larger than any number of float32"):
            dp.to_c(network, parameters)
