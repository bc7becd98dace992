"""Tables with text in them: the shelf a book goes on, and the stars a review gives.

Trains a model on three quarters of each table, judges it on the rest, lets it read sentences it
has never seen, and explains one step. Run it from anywhere: ``python examples/text_tables.py``.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

import numpy as np

import deltaprop as dp
from deltaprop.tabular import load_dataset

DATA = Path(__file__).resolve().parent / "data"

NEW_BOOKS = {
    "title": ["The Toad in the Teapot", "Murder at the Mill Pond", "A Winter of Herring Gulls"],
    "blurb": [
        "A funny bedtime story with rhymes to read aloud to very small children.",
        "The miller is found dead, and the detective does not believe a single witness.",
        "Where these birds nest, what they eat, and how the coast is changing around them.",
    ],
}
NEW_REVIEWS = {
    "review": [
        "A wonderful film, I loved every minute of it!",
        "Quite good, a little long, but the cast is great.",
        "It is okay, nothing special.",
        "The worst film ever. So boring that we left.",
    ]
}


def learn(name: str, target: str) -> dp.TableModel:
    """Train on three quarters of a table, whose rows are in no order, and judge on the rest."""
    table = load_dataset(DATA / name, target)
    n_train = table.n_rows * 3 // 4
    model = dp.TableModel.fit(
        table.features[:n_train], table.target[:n_train], target_names=[target], where=name
    )
    print(f"\n{name}: {n_train} rows to learn from, {table.n_rows - n_train} to judge by")
    for row in model.inputs.report():
        say(f"  {row.column}: {row.kind}, {row.done}")
    judged = model.evaluate(table.features[n_train:], table.target[n_train:])
    say(
        f"  right on {judged.figures['accuracy']:.0%} of the rows it has not seen; always saying "
        f"the commonest {target}: {judged.figures['majority']:.0%}"
    )
    return model


def say(text: str) -> None:
    """Print a paragraph of at most 80 columns."""
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    print(textwrap.fill(text, 80, subsequent_indent=indent))


def main() -> None:
    """Show both tables."""
    shelves = learn("book_shelf.csv", "shelf")
    print("\nBooks that have just come in:")
    probabilities = shelves.predict_proba(NEW_BOOKS)
    for title, p in zip(NEW_BOOKS["title"], probabilities, strict=True):
        print(f"  {title:<28} {shelves.class_names[int(p.argmax())]:<10} {p.max():4.0%}")

    stars = learn("film_stars.csv", "stars")
    print("\nReviews that have just come in, and the stars that are expected on average:")
    probabilities = stars.predict_proba(NEW_REVIEWS)
    expected = probabilities @ np.arange(1, 6)
    for review, p, mean in zip(NEW_REVIEWS["review"], probabilities, expected, strict=True):
        print(f"  {'*' * int(p.argmax() + 1):<6} {mean:.1f}  {review}")

    print("\nHow the first of these reviews would move the weights, if it gave five stars:\n")
    first = {"review": NEW_REVIEWS["review"][:1]}
    told = stars.explain(first, [5], where="the first review")
    print(told.to_terminal(width=80, detail="overview"), end="")


if __name__ == "__main__":
    main()
