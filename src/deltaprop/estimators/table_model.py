"""TableModel: a network that knows its table, from raw columns to classes or numbers."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import prod
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from deltaprop.errors import DataError, DeltapropError, ModelFileError, SettingError
from deltaprop.estimators.calibration import Calibration, calibrate
from deltaprop.estimators.evaluation import Evaluation, evaluate_classes, evaluate_numbers
from deltaprop.estimators.recipe import Recipe
from deltaprop.estimators.splitting import scaled_by, split
from deltaprop.explaining import Explanation, Names, explain
from deltaprop.model.parameters import Parameters
from deltaprop.model.serialize import SavedModel, load_model, save_model
from deltaprop.model.spec import Network
from deltaprop.tabular import (
    ImageEncoder,
    SparseRows,
    TableEncoder,
    TableWarning,
    TargetEncoder,
    as_frame,
    encoder_from_dict,
)
from deltaprop.training.history import History
from deltaprop.training.loop import Callback, train
from deltaprop.training.predict import logits

__all__ = ["TableModel", "load"]

Array = npt.NDArray[np.float64]
Encoder = TableEncoder | ImageEncoder
Rows: TypeAlias = Array | SparseRows
Announce: TypeAlias = Callable[[Encoder, TargetEncoder, Network], object]


@dataclass(frozen=True)
class TableModel:
    """A trained network together with what turns a table into its inputs.

    Attributes
    ----------
    network : Network
        The description.
    parameters : Parameters
        The numbers.
    inputs : TableEncoder or ImageEncoder
        From columns (or pixels) to x.
    target : TargetEncoder
        From the target column to classes or standardized numbers, and back.
    history : History
        How it was trained.
    recipe : Recipe
        The settings it was trained with.
    n_train, n_val : int
        Rows learnt from, and rows that chose the best epoch.
    calibration : Calibration or None
        The temperature of the probabilities; None for numbers, and where no rows were held out.
    """

    network: Network
    parameters: Parameters
    inputs: Encoder
    target: TargetEncoder
    history: History
    recipe: Recipe
    n_train: int
    n_val: int
    calibration: Calibration | None = None

    @classmethod
    def fit(
        cls,
        features: Any,
        target: Any,
        *,
        target_names: Sequence[str] = (),
        validation: tuple[Any, Any] | None = None,
        task: str | None = None,
        recipe: Recipe | None = None,
        where: str = "",
        validation_where: str = "the validation rows",
        checkpoint: str | os.PathLike[str] | None = None,
        resume: bool = False,
        callbacks: Sequence[Callback] = (),
        progress: bool = False,
        announce: Announce | None = None,
    ) -> TableModel:
        """Learn a table.

        Parameters
        ----------
        features : data frame, dict of columns, 2-D array, or images of shape (n, height, width)
            Columns as they come: numbers, strings, booleans, dates, with missing cells.
        target : array_like
            One entry per row: classes, or numbers (several columns for several outputs).
        target_names : sequence of str
            What the target is called.
        validation : tuple of (features, target), optional
            Rows that choose the best epoch. Without them a share is held out, each class in
            proportion; from fewer than 20 rows nothing is.
        task : {"classification", "regression"}, optional
            Decided by the target when left out.
        recipe : Recipe, optional
            How to learn.
        where, validation_where : str
            What messages call the table, and the validation table.
        checkpoint, resume, callbacks, progress : optional
            As for ``train``.
        announce : callable, optional
            Given the encoders and the network when all is ready and training is about to begin;
            what it raises stops there.

        Returns
        -------
        TableModel
            Ready to predict.

        Raises
        ------
        DataError
            When the table cannot be learnt from; the message says where and why.
        """
        recipe = recipe or Recipe()
        features = _as_features(features)
        decided = TargetEncoder.fit(target, task, names=target_names, where=where)
        y = decided.encode(target, where=where)
        if len(features) != len(y):
            raise DataError(f"There are {len(features)} rows but {len(y)} targets{_of(where)}.")
        if validation is None:
            kept, held = split(y, recipe.validation_share, recipe.seed)
            decided, y = scaled_by(decided, y, kept)
            validation_features, y_val = _take(features, held), y[held]
            features, y = _take(features, kept), y[kept]
        else:
            validation_features = _as_features(validation[0])
            y_val = decided.encode(validation[1], where=validation_where)
        images = isinstance(features, np.ndarray) and features.ndim > 2
        encoder: Encoder = (ImageEncoder if images else TableEncoder).fit(features, where=where)
        if encoder.n_outputs == 0:
            raise DataError(
                f"No column{_of(where)} is left to learn from: every one is constant, empty or an "
                "identifier."
            )
        X = _flat(encoder.transform(features, where=where, ignore=target_names))
        X_val = None
        if len(y_val):
            shown = validation_where if validation is not None else where
            with warnings.catch_warnings():
                if validation is None:  # a rare category that was held out is no surprise
                    warnings.simplefilter("ignore", TableWarning)
                encoded = encoder.transform(validation_features, where=shown, ignore=target_names)
            X_val = _flat(encoded)
        loss = "cross_entropy" if decided.task == "classification" else "half_squared_error"
        network = recipe.network(X.shape[1], decided.n_outputs, loss)
        parameters = network.init(np.random.default_rng(recipe.seed))
        if announce is not None:
            announce(encoder, decided, network)
        history = train(
            network,
            parameters,
            X,
            y,
            optimizer=recipe.optimizer(),
            batch_size=recipe.batch_size_for(len(y)),
            epochs=recipe.epochs_for(len(y)),
            patience=None if X_val is None else recipe.patience_for(len(y)),
            engine=recipe.engine,
            seed=recipe.seed,
            X_val=X_val,
            y_val=None if X_val is None else y_val,
            time_budget=recipe.time_budget,
            checkpoint=checkpoint,
            resume=resume,
            callbacks=callbacks,
            progress=progress,
        )
        calibration = None
        if recipe.calibrate and decided.task == "classification" and X_val is not None:
            calibration = calibrate(logits(network, parameters, X_val), y_val)
        sizes = len(y), len(y_val)
        return cls(network, parameters, encoder, decided, history, recipe, *sizes, calibration)

    @property
    def task(self) -> str:
        """Return "classification" or "regression"."""
        return self.target.task

    @property
    def class_names(self) -> tuple[str, ...]:
        """Return the classes as text; empty for regression."""
        return tuple(str(c) for c in self.target.classes.tolist())

    def encode(self, features: Any, *, where: str = "", ignore: Collection[str] = ()) -> Rows:
        """Return x for a table or images, of shape (n, n_0); sparse where columns are free text."""
        known = {*self.target.names, *ignore}
        return _flat(self.inputs.transform(_as_features(features), where=where, ignore=known))

    def predict_proba(self, features: Any, *, where: str = "") -> Array:
        """Return the calibrated probability of each class, of shape (n, k)."""
        if self.task != "classification":
            raise SettingError("Probabilities belong to classes; this model predicts numbers.")
        return self.outputs_of(self._encoded(features, where))

    def predict(self, features: Any, *, where: str = "") -> npt.NDArray[Any]:
        """Return the class, or the number in the target's unit, of each row."""
        z = logits(self.network, self.parameters, self._encoded(features, where))
        outputs = self.network.loss.predict(z)  # a temperature would not change the class
        if self.task == "classification":
            return self.target.decode(outputs.argmax(axis=1))
        decoded = self.target.decode(outputs)
        return decoded[:, 0] if decoded.shape[1] == 1 else decoded

    def evaluate(self, features: Any, target: Any, *, where: str = "") -> Evaluation:
        """Return accuracy and the like on rows whose answers are known."""
        encoded = self.target.encode(target, where=where)
        outputs = self.outputs_of(self._encoded(features, where))
        if len(outputs) != len(encoded):
            raise DataError(f"There are {len(outputs)} rows but {len(encoded)} targets.")
        if self.task == "classification":
            return evaluate_classes(outputs, encoded, self.class_names)
        decode = self.target.decode
        return evaluate_numbers(decode(outputs), decode(encoded))

    def explain(
        self, features: Any, target: Any, *, learning_rate: float = 0.1, where: str = ""
    ) -> Explanation:
        """Return the training step these rows would cause, in the user's names.

        Parameters
        ----------
        features : data frame or images
            A row, or a few.
        target : array_like
            What they should have given.
        learning_rate : float
            eta of the plain gradient step that is shown.
        where : str
            What messages call the rows.

        Returns
        -------
        Explanation
            Without dropout: the step on the network as it predicts, with its own probabilities,
            before the temperature.
        """
        outputs = self.class_names if self.task == "classification" else self.target.names
        x = self.encode(features, where=where)
        names = Names(
            f"The step {where or 'these rows'} would cause",
            tuple(self.inputs.output_names),
            outputs,
            image=_image_shape(self.inputs),
            titles={"zh": f"{where or '这些行'} 会引起的一步"},
        )
        return explain(
            self.network,
            self.parameters,
            x.toarray() if isinstance(x, SparseRows) else x,
            self.target.encode(target, where=where),
            learning_rate=learning_rate,
            names=names,
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model to one safetensors file."""
        save_model(
            path,
            self.network,
            self.parameters,
            table={"inputs": self.inputs.to_dict(), "target": self.target.to_dict()},
            training={
                "history": self.history.to_dict(),
                "recipe": asdict(self.recipe),
                "n_train": self.n_train,
                "n_val": self.n_val,
                "calibration": self.calibration and self.calibration.to_dict(),
            },
        )

    def outputs_of(self, x: Rows) -> Array:
        """Return p for encoded rows: calibrated probabilities, or standardized numbers."""
        z = logits(self.network, self.parameters, x)
        temperature = 1.0 if self.calibration is None else self.calibration.temperature
        return self.network.loss.predict(z / temperature)

    def _encoded(self, features: Any, where: str) -> Rows:
        x = self.encode(features, where=where)
        if len(x) == 0:
            raise DataError(f"There are no rows to predict{_of(where)}.")
        return x


def load(path: str | os.PathLike[str]) -> TableModel | SavedModel:
    """Read a model file.

    Parameters
    ----------
    path : path
        A file written by ``TableModel.save`` or ``save``.

    Returns
    -------
    TableModel or SavedModel
        A table's model, or a bare network with its parameters.

    Raises
    ------
    ModelFileError
        When the file is missing, foreign, damaged, or of another version.
    """
    saved = load_model(path)
    if saved.table is None:
        return saved
    name = os.fspath(path)
    try:
        model = _restore(saved, saved.table)
    except (DeltapropError, LookupError, ArithmeticError, TypeError, ValueError) as error:
        what = "not found: " if isinstance(error, LookupError) else ""
        what += " ".join(str(error).split())[:300].rstrip(".")
        raise ModelFileError(
            f"{name} is damaged or of a newer kind ({what}). "
            "Fetch it again, or train and save it again."
        ) from None
    fits = (model.network.n_in, model.network.n_out)
    if fits != (model.inputs.n_outputs, model.target.n_outputs):
        raise ModelFileError(f"{name} is damaged: its table does not fit its network.")
    if model.calibration is not None and model.task != "classification":
        raise ModelFileError(f"{name} is damaged: it calibrates a model that has no classes.")
    return model


def _restore(saved: SavedModel, table: Mapping[str, Any]) -> TableModel:
    inputs, target = encoder_from_dict(table["inputs"]), encoder_from_dict(table["target"])
    if isinstance(inputs, TargetEncoder) or not isinstance(target, TargetEncoder):
        raise ModelFileError("its table's inputs and target are mixed up.")
    calibration = saved.training.get("calibration")  # older files have none
    facts = dict(saved.training["recipe"])
    facts["hidden"] = tuple(facts["hidden"])
    return TableModel(
        saved.network,
        saved.parameters,
        inputs,
        target,
        History.from_dict(saved.training["history"]),
        Recipe(**facts),
        int(saved.training["n_train"]),
        int(saved.training["n_val"]),
        None if calibration is None else Calibration.from_dict(calibration),
    )


def _as_features(features: Any) -> Any:
    if isinstance(features, np.ndarray) and features.ndim > 2:
        return features
    return as_frame(features)


def _image_shape(encoder: Encoder) -> tuple[int, ...]:
    """Return height, width (and channels) where a row is an image."""
    shape = encoder.shape if isinstance(encoder, ImageEncoder) else ()
    return shape if len(shape) in (2, 3) else ()


def _take(features: Any, rows: npt.NDArray[np.int64]) -> Any:
    return features[rows] if isinstance(features, np.ndarray) else features[rows.tolist(), :]


def _flat(encoded: npt.NDArray[Any] | SparseRows) -> Rows:
    if isinstance(encoded, SparseRows):
        return encoded
    return encoded.reshape(len(encoded), prod(encoded.shape[1:]))


def _of(where: str) -> str:
    return f" of {where}" if where else ""
