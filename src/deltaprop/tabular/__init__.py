"""A table <-> arrays: reading files, columns, categories, missing values, targets, images."""

from __future__ import annotations

from deltaprop.model.stored import Stored
from deltaprop.tabular.encoding.column import Column
from deltaprop.tabular.encoding.encoder import Encoder, ReportRow
from deltaprop.tabular.encoding.images import ImageEncoder
from deltaprop.tabular.encoding.marks import row_marks
from deltaprop.tabular.encoding.matrix import SparseEncoder, as_sparse, is_sparse
from deltaprop.tabular.encoding.order import column_order
from deltaprop.tabular.encoding.scaling import unsquash
from deltaprop.tabular.encoding.sparse import SparseRows
from deltaprop.tabular.encoding.surprises import Surprises, TableWarning
from deltaprop.tabular.encoding.table_encoder import TableEncoder
from deltaprop.tabular.encoding.target import TargetEncoder, target_columns
from deltaprop.tabular.encoding.wording import described_in
from deltaprop.tabular.reading.dataset import Dataset, Task, load_dataset
from deltaprop.tabular.reading.frames import (
    Features,
    as_features,
    as_frame,
    in_memory,
    sorted_rows,
    take_rows,
)
from deltaprop.tabular.reading.missing import MISSING, MissingWords
from deltaprop.tabular.reading.read import Table, load_features, load_frame

__all__ = [
    "MISSING",
    "Column",
    "Dataset",
    "Encoder",
    "Features",
    "ImageEncoder",
    "MissingWords",
    "ReportRow",
    "SparseEncoder",
    "SparseRows",
    "Surprises",
    "Table",
    "TableEncoder",
    "TableWarning",
    "TargetEncoder",
    "Task",
    "as_features",
    "as_frame",
    "as_sparse",
    "column_order",
    "described_in",
    "encoder_from_dict",
    "in_memory",
    "is_sparse",
    "load_dataset",
    "load_features",
    "load_frame",
    "row_marks",
    "sorted_rows",
    "take_rows",
    "target_columns",
    "unsquash",
]


def encoder_from_dict(values: object) -> Encoder | TargetEncoder:
    """Return the encoder that one of the ``to_dict`` methods described; see `Encoder.from_dict`."""
    encoders: tuple[type[Encoder | TargetEncoder], ...] = (
        TableEncoder, ImageEncoder, SparseEncoder, TargetEncoder,
    )  # fmt: skip
    kinds = {encoder.format: encoder for encoder in encoders}
    return kinds[Stored(values, "encoder").text("format", tuple(kinds))].from_dict(values)
