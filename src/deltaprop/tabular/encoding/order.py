"""The columns of a table as embeddings want them: numbers first, large categories last."""

from __future__ import annotations

from dataclasses import replace

from deltaprop.tabular.encoding.table_encoder import TableEncoder

__all__ = ["column_order"]


def column_order(
    encoder: TableEncoder, most_one_hot: int = 8
) -> tuple[TableEncoder, int, tuple[int, ...]]:
    """Return the encoder of a table without text with its columns in another order.

    Its outputs are the numbers, then what is two-valued or one-hot with up to ``most_one_hot``
    categories, then the categories with more values, each of them 0 or (nearly) 1. Beside it stand
    how many outputs are numbers, and how many each of the last columns has.
    """
    numbers = [column for column in encoder.columns if column.is_number]
    large = [c for c in encoder.columns if c.is_one_hot and c.n_outputs > most_one_hot]
    others = [c for c in encoder.columns if not c.is_number and c not in large]
    large = [
        replace(c, outputs=tuple(output._replace(center=0.0, scale=1.0) for output in c.outputs))
        for c in large
    ]
    return (
        replace(encoder, columns=(*numbers, *others, *large)),
        sum(column.n_outputs for column in numbers),
        tuple(column.n_outputs for column in large),
    )
