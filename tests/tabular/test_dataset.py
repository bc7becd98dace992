"""Features meet their target."""

import gzip
import struct

import numpy as np
import pytest

from deltaprop.errors import ColumnError, DataError, SettingError
from deltaprop.tabular import load_dataset


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "flowers.csv"
    path.write_text("length,colour,species,weight\n1.5,red,a,10\n2.5,blue,b,20\n3.5,red,a,15\n")
    return path


def idx(array):
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return head + array.astype(np.uint8).tobytes()


def test_the_target_is_taken_off_the_features(table):
    data = load_dataset(table, "species")
    assert data.features.columns == ["length", "colour", "weight"]
    assert data.target.tolist() == ["a", "b", "a"]
    assert data.target.dtype == object
    assert data.target_names == ("species",)
    assert data.source == str(table)
    assert data.n_rows == 3


def test_a_numeric_target_is_an_array_of_numbers(table):
    assert load_dataset(table, "weight").target.dtype == np.int64
    assert load_dataset(table, "length").target.tolist() == [1.5, 2.5, 3.5]


@pytest.mark.parametrize("target", ["length,weight", "length, weight", ["length", "weight"]])
def test_several_targets_are_columns_of_the_target(table, target):
    data = load_dataset(table, target)
    assert data.target.tolist() == [[1.5, 10], [2.5, 20], [3.5, 15]]
    assert data.target_names == ("length", "weight")
    assert data.target_name == "length,weight"


def test_a_column_whose_name_has_a_comma_goes_first(tmp_path):
    (tmp_path / "t.csv").write_text('"a,b",a,b\n1,2,3\n4,5,6\n')
    assert load_dataset(tmp_path / "t.csv", "a,b").target.tolist() == [1, 4]


def test_a_misspelt_target_is_answered_with_the_nearest_column(table):
    with pytest.raises(
        ColumnError, match=r"no target column 'specis'.*Did you mean 'species'.*col"
    ):
        load_dataset(table, "specis")


@pytest.mark.parametrize("target", [[], ["length", "length"]])
def test_a_target_must_be_different_columns(table, target):
    with pytest.raises(ColumnError, match="different columns"):
        load_dataset(table, target)


def test_a_missing_target_is_refused_with_its_rows(tmp_path):
    lines = [f"{i},{'' if i in (3, 5, 8, 9, 12) else i % 2}" for i in range(1, 20)]
    (tmp_path / "t.csv").write_text("a,y\n" + "\n".join(lines) + "\n")
    with pytest.raises(DataError, match=r"t\.csv, row 3, 5, 8 and 2 more: target 'y' is missing"):
        load_dataset(tmp_path / "t.csv", "y")


def test_a_dash_for_a_target_is_missing_and_quoted(tmp_path):
    rows = [f'{i},"{"-" if i % 3 == 0 else f"${1000 + i:,}.50"}"' for i in range(60)]
    (tmp_path / "t.csv").write_text("a,y\n" + "\n".join(rows) + "\n")
    with pytest.raises(DataError, match=r"'-' stands in 20 of these rows"):
        load_dataset(tmp_path / "t.csv", "y")


def test_a_missing_target_in_a_glob_is_found_in_its_file(tmp_path):
    (tmp_path / "t1.csv").write_text("a,y\n1,1\n2,2\n")
    (tmp_path / "t2.csv").write_text("a,y\n1,1\n2,\n")
    with pytest.raises(DataError, match=r"row 2 of .*t2\.csv"):
        load_dataset(tmp_path / "t*.csv", "y")


def test_a_stray_label_is_refused_unless_labels_are_classes(tmp_path):
    rows = [f"{i},{i % 10}" for i in range(100)] + ["1,X"]
    (tmp_path / "t.csv").write_text("a,digit\n" + "\n".join(rows) + "\n")
    with pytest.raises(DataError, match=r"row 101: target 'digit' is 'X'.*task='classification'"):
        load_dataset(tmp_path / "t.csv", "digit")
    data = load_dataset(tmp_path / "t.csv", "digit", task="classification")
    assert data.target[:2].tolist() == ["0", "1"]
    assert data.target[-1] == "X"
    assert data.warnings == ()


def test_a_warning_about_a_feature_stays(tmp_path):
    rows = [f"{i},{i % 10}" for i in range(100)] + ["oops,1"]
    (tmp_path / "t.csv").write_text("a,digit\n" + "\n".join(rows) + "\n")
    assert "'oops'" in load_dataset(tmp_path / "t.csv", "digit").warnings[0]


def test_a_table_of_the_target_alone_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("y\n1\n2\n")
    with pytest.raises(DataError, match="no column beside the target 'y'"):
        load_dataset(tmp_path / "t.csv", "y")


def test_an_unknown_task_is_refused(table):
    with pytest.raises(SettingError, match="'clustering'"):
        load_dataset(table, "species", task="clustering")


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
def test_images_and_labels_come_from_two_idx_files(tmp_path, compress):
    images = np.arange(24).reshape(2, 3, 4)
    (tmp_path / "x").write_bytes(compress(idx(images)))
    (tmp_path / "y").write_bytes(compress(idx(np.array([7, 3]))))
    data = load_dataset(tmp_path / "x", tmp_path / "y")
    np.testing.assert_array_equal(data.features, images)
    assert data.features.dtype == np.uint8
    assert data.target.tolist() == [7, 3]
    assert data.is_image


def test_labels_are_found_beside_the_images(tmp_path):
    (tmp_path / "x").write_bytes(idx(np.zeros((2, 3, 4))))
    (tmp_path / "labels-of-x").write_bytes(idx(np.array([7, 3])))
    assert load_dataset(tmp_path / "x", "labels-of-x").target.tolist() == [7, 3]


def test_as_many_labels_as_images_are_needed(tmp_path):
    (tmp_path / "x").write_bytes(idx(np.zeros((2, 3, 4))))
    (tmp_path / "y").write_bytes(idx(np.zeros(3)))
    with pytest.raises(DataError, match=r"has 2 images but .*y has 3 labels"):
        load_dataset(tmp_path / "x", tmp_path / "y")


def test_images_for_labels_are_noticed(tmp_path):
    (tmp_path / "x").write_bytes(idx(np.zeros((2, 3, 4))))
    (tmp_path / "y").write_bytes(idx(np.zeros(2)))
    with pytest.raises(DataError, match="wrong way round"):
        load_dataset(tmp_path / "x", tmp_path / "x")
    with pytest.raises(DataError, match="rows x columns"):
        load_dataset(tmp_path / "y", tmp_path / "y")


def test_wider_idx_types_are_big_endian(tmp_path):
    (tmp_path / "x").write_bytes(struct.pack(">4B3I4f", 0, 0, 0x0D, 3, 2, 2, 1, 1, 2, 3, 4.5))
    (tmp_path / "y").write_bytes(struct.pack(">4BI2i", 0, 0, 0x0C, 1, 2, 70_000, -1))
    data = load_dataset(tmp_path / "x", tmp_path / "y")
    assert data.features.ravel().tolist() == [1, 2, 3, 4.5]
    assert data.target.tolist() == [70_000, -1]


def test_npz_holds_features_beside_the_named_target(tmp_path):
    np.savez(tmp_path / "d.npz", X=np.eye(3), y=np.array(["a", "b", "a"]))
    data = load_dataset(tmp_path / "d.npz", "y")
    assert data.features.columns == ["x0", "x1", "x2"]
    assert data.target.tolist() == ["a", "b", "a"]


def test_npz_pairs_x_train_with_y_train(tmp_path):
    parts = {"x_train": np.zeros((3, 2, 2)), "y_train": np.arange(3),
             "x_test": np.ones((3, 2, 2)), "y_test": np.arange(3)}  # fmt: skip
    np.savez_compressed(tmp_path / "d.npz", **parts)
    assert load_dataset(tmp_path / "d.npz", "y_test").features.max() == 1


def test_an_unknown_array_is_answered_with_those_there_are(tmp_path):
    np.savez(tmp_path / "d.npz", X=np.eye(3), label=np.arange(3))
    with pytest.raises(ColumnError, match=r"'lable'.*Did you mean 'label'.*X \(3 x 3\)"):
        load_dataset(tmp_path / "d.npz", "lable")


def test_an_ambiguous_npz_is_refused(tmp_path):
    np.savez(tmp_path / "d.npz", A=np.eye(3), B=np.eye(3), label=np.arange(3))
    with pytest.raises(DataError, match="exactly one array with 3 rows"):
        load_dataset(tmp_path / "d.npz", "label")


def test_npy_files_hold_features_and_target(tmp_path):
    np.save(tmp_path / "x.npy", np.eye(3))
    np.save(tmp_path / "y.npy", np.array([[1.5], [2.5], [3.5]]))
    assert load_dataset(tmp_path / "x.npy", tmp_path / "y.npy").target.tolist() == [1.5, 2.5, 3.5]
    np.save(tmp_path / "y.npy", np.array([1.5, np.nan, 3.5]))
    with pytest.raises(DataError, match=r"y\.npy, row 2: .*NaN"):
        load_dataset(tmp_path / "x.npy", tmp_path / "y.npy")


def test_fashion_mnist_is_read(shared):
    folder = shared / "data/fashion-mnist"
    pair = [folder / f"train-{part}-ubyte.gz" for part in ("images-idx3", "labels-idx1")]
    data = load_dataset(*pair)
    assert data.features.shape == (60000, 28, 28)
    assert np.bincount(data.target).tolist() == [6000] * 10


def test_several_targets_of_a_real_table(shared):
    data = load_dataset(shared / "data/meats_multi.csv.gz", "water,fat,protein")
    assert data.target.shape == (215, 3)
    assert data.features.shape == (215, 100)
