"""The columns of a table as embeddings want them: numbers first, large categories last."""

from __future__ import annotations

from dataclasses import replace

from deltaprop.tabular.encoding.table_encoder import TableEncoder

__all__ = ["column_order"]


def column_order(
    encoder: TableEncoder, most_one_hot: int = 8
) -> tuple[TableEncoder, int, tuple[int, ...]]:
    """Return the encoder with its columns in another order, and what stands where.

    Parameters
    ----------
    encoder : TableEncoder
        Of a table without text.
    most_one_hot : int
        Categories up to which a column stays one-hot among the others.

    Returns
    -------
    encoder : TableEncoder
        Its outputs are the numbers, then what is one-hot or two-valued, then the categories with
        more values, each of them 0 or (nearly) 1.
    n_numbers : int
        How many outputs are numbers.
    sizes : tuple of int
        How many outputs each of the last columns has.
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
