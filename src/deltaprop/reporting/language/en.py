"""English."""

from __future__ import annotations

WORDS = {
    # the head
    "title": "What was learnt about {target}",
    "title from": "What was learnt about {target} from {source}",
    "lead validation": (
        "{who} learnt from {train} rows. All figures below are from {val} other rows, {how}"
        ", unless they say otherwise."
    ),
    "lead folded": (
        "{who} learnt from {train} rows, each row held out from one of them. All figures below are "
        "what that one, which has not seen the row, says of it, unless they say otherwise."
    ),
    "lead sample": " Of these, a sample of {rows} rows was judged.",
    "lead training": (
        "{who} learnt from {train} rows, and no rows were held out: the figures below are "
        "from the very rows learnt from, and say nothing about new ones."
    ),
    "one network": "A network",
    "several networks": "{members} networks",
    "held out": "which were held out",
    "given rows": "which were given for it",
    "contents": "Contents",
    "made by": "Made by deltaprop {version}.",
    "and": ", ",
    # sections
    "summary": "At a glance",
    "warnings": "Warnings",
    "curves": "Learning curves",
    "mistakes": "Which classes are mistaken",
    "classes": "Class by class",
    "numbers": "Predicted and true numbers",
    "calibration": "Are the probabilities right?",
    "importance": "Which columns matter",
    "hardest": "The hardest rows",
    "columns": "What was done to each column",
    "again": "How to repeat it",
    # figures
    "accuracy": "accuracy",
    "log_loss": "log loss",
    "majority": "always the commonest class",
    "accuracy of labels": "rows with all labels right",
    "majority of labels": "the same, always giving each label's commoner answer",
    "label_accuracy": "labels right",
    "poisson_deviance": "mean Poisson deviance",
    "balanced_accuracy": "balanced accuracy",
    "auc": "AUC",
    "r2": "R²",
    "rmse": "RMSE",
    "mae": "MAE",
    "baseline_rmse": "RMSE of the mean",
    "interval": "95 % between {low} and {high}",
    "training rows": "training rows",
    "validation rows": "validation rows",
    "figure": "figure",
    # facts
    "fact table": "Table",
    "fact target": "Target",
    "fact task": "Task",
    "fact rows": "Rows",
    "fact columns": "Columns",
    "fact network": "Network",
    "fact training": "Training",
    "fact engine": "Computed by",
    "fact seed": "Seed",
    "fact versions": "Versions",
    "classification": "classes: {classes}",
    "more classes": "{classes} and {count} more",
    "multilabel": "labels, each true or false: {classes}",
    "regression": "a number",
    "rows held": "{train} to learn from, {val} held out to choose the epoch{also}",
    "rows folded": "{train}, each held out from one of {members} members to choose its epoch{also}",
    "rows given": "{train} to learn from, {val} given to choose the epoch{also}",
    "also temperature": " and the temperature",
    "rows only": "{train} to learn from, none held out",
    "inputs": "{columns}, which became {inputs} inputs",
    "network": "{sizes} neurons, {parameters} parameters",
    "epochs": "{epochs} epochs, {steps} steps, {seconds} s: {why}",
    "kept": "; epoch {epoch} was best and was kept",
    "members": "; the first of {members} members, whose outputs are averaged",
    "engine": "engine {engine}, {dtype}",
    "stopped epochs": "all epochs were run",
    "stopped patience": "the validation figure no longer improved",
    "stopped time_budget": "the time budget was used up",
    "stopped interrupted": "it was interrupted",
    "stopped callback": "a callback asked for it",
    "stopped diverged": "the loss was no longer a finite number",
    # warnings
    "serious": "Look at this first:",
    "nothing found": (
        "Nothing suspicious was found. Looked for: columns that give the target away, rows "
        "that are both in training and validation, tiny classes, too few validation rows."
    ),
    "leak limit": "Of {count} columns, only the {shown} strongest were suspected of a leak.",
    "finding diverged": (
        "Training diverged in epoch {epochs}; the last good weights were kept. Choose a "
        "smaller learning rate."
    ),
    "finding no validation": (
        "No rows were held out, so nothing here tells how the model does on new rows. Give "
        "some with --val, or learn from at least 20 rows."
    ),
    "finding other rows": (
        "Of the {of:,} rows given as those that were learnt from, {rows:,} were: the figures are "
        "of other rows than the model's own, and which of them were held out is not known."
    ),
    "finding still improving": (
        "The last of the {epochs} epochs was the best one: with more epochs (--epochs) it "
        "might still improve."
    ),
    "finding no better": (
        "An accuracy of {accuracy} is no better than always saying the commonest class "
        "({majority}): the model has learnt nothing that helps."
    ),
    "finding no better than the mean": (
        "R² is {r2:.3f}: the model is no better than always saying the mean."
    ),
    "finding hardly better": (
        "An accuracy of {accuracy}, with 95 % confidence from {low} to {high}, is not clearly "
        "better than always saying the commonest class ({majority}). Either the columns say little "
        "about the answer, or there are too few rows to tell, or one class is so common that "
        "accuracy tells nothing: then look at the recall of the others, and try --class-weight "
        "balanced."
    ),
    "finding rarely found": "Of the rows of class “{class}”, {recall} are found.",
    "finding hardly better than the mean": (
        "R² is {r2:.3f}, with 95 % confidence from {least:.3f} to {most:.3f}: the model is not "
        "clearly better than always saying the mean. Either the columns say little about the "
        "answer, or there are too few rows to tell."
    ),
    "finding leak": (
        "Column “{column}” alone tells {score} of what there is to know about {target}. Is "
        "it known before the answer is? If not, it gives the answer away, and new rows will "
        "not have it: leave it out."
    ),
    "finding identical": (
        "Column “{column}” is almost the same number as {target} (correlation {correlation:.5f}). "
        "Is it known before the answer is? If not, leave it out."
    ),
    "finding duplicates": (
        "{rows:,} of the {of:,} validation rows are, in all the network sees, the same as a "
        "training row: the figures are flattered by what was learnt by heart. Remove the "
        "copies, or keep all rows of one origin on one side with --val."
    ),
    "finding coarse": (
        "{rows:,} of the {of:,} validation rows look to the network like a training row; the "
        "table has few different rows ({different:,} among {n:,}), so that is its nature."
    ),
    "finding tiny classes": (
        "Fewer than {least} training rows: {count:,} of the classes ({classes}). Such classes are "
        "hardly learnt; collect more rows of them, or put them together."
    ),
    "finding unjudged classes": (
        "Without a validation row: {count:,} of the classes ({classes}). How well they are "
        "recognised is not known."
    ),
    "finding few rows": (
        "Only {rows} validation rows: an accuracy measured on so few lies, with 95 % "
        "confidence, between {low} and {high}."
    ),
    "finding few numbers": "Only {rows} validation rows: the figures may be off by a good deal.",
    "remarks": "What was said while the table was read ({count})",
    # learning curves
    "epoch": "epoch",
    "one network of curves": "the network",
    "first network": "the first of the networks",
    "objective": "objective",
    "training": "training",
    "validation": "validation",
    "objective plot": "Objective per epoch",
    "metric plot": "{metric} on the validation rows per epoch",
    "kept epoch": "kept: {epoch}",
    "curves note": (
        "The objective is what the steps make less: cross-entropy with smoothed labels, or half "
        "the squared error in standard deviations. Of training rows it is the mean over an epoch, "
        "penalties and dropout included, taken before each step; of validation rows it is taken "
        "after the epoch, without them. Both curves are those of {which}; the figures at the top "
        "are of the finished model."
    ),
    "no curves": "No epoch was completed.",
    # classes
    "true": "true",
    "predicted": "predicted",
    "true predicted": "true ↓, predicted\N{NO-BREAK SPACE}→",
    "class": "class",
    "label": "label",
    "learnt rows": "training rows",
    "support": "rows (support)",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "mean of classes": "Mean of the classes: {figures}.",
    "precision note": (
        "Precision: of the rows said to be of the class, the share that is. Recall: of the "
        "rows of the class, the share that was found. F1: their harmonic mean. The hardest "
        "class first."
    ),
    "mistakes list": "The commonest mistakes",
    "rows": "rows",
    "mistakes count": "{count} of {of} rows are mistaken.",
    "no matrix": "With {count} classes only the commonest mistakes are shown.",
    "all classes": "The other {count} classes",
    # numbers
    "scatter": "{name}: predicted against true",
    "residuals": "{name}: true − predicted",
    "target": "target",
    "numbers note": (
        "On the dotted line a prediction is exactly right. Of {rows} rows, {points} are drawn."
    ),
    "residuals note": (
        "Without a mistake of the model, dots lie about the dotted line everywhere alike."
    ),
    "more numbers": "The first {shown} of {count} targets are drawn.",
    # calibration
    "confidence": "confidence",
    "reliability plot": "Accuracy against confidence",
    "before": "before (T = 1)",
    "after": "after (T = {temperature})",
    "calibration note": (
        "A network that is {confidence} sure should be right in as many of such cases: on the "
        "dotted line. Each dot stands for equally many validation rows; below the line it is "
        "too sure, above it not sure enough."
    ),
    "temperature note": (
        "The scores were divided by the temperature T = {temperature}, the one at which the "
        "cross-entropy of these {rows} rows is least; that changes no prediction, only how "
        "sure it is. Having been fitted to these rows, the curve after is a little better than "
        "on new ones."
    ),
    "no temperature": (
        "The probabilities were left as they are (T = 1): calibration was switched off, or "
        "nothing was to be gained by it."
    ),
    "ece": "expected calibration error",
    "log_loss alone": "log loss, network by network",
    "no calibration": (
        "Without validation rows nothing tells whether the probabilities are right; they were "
        "not calibrated."
    ),
    # which columns matter
    "importance note": (
        "What it costs to deal a column's cells out to other rows: the mean rise of {loss} "
        "and fall of {score} over {shuffles} shuffles of {rows} rows, ± their standard "
        "deviation. Columns that say the same share their importance."
    ),
    "importance limit": (
        "Of {count} columns, the {shown} strongest were tried: those whose inputs vary most, "
        "each weighed by its weights in the first layer."
    ),
    "importance image": (
        "The image was cut into patches ([rows, columns] of pixels), each dealt out as a whole."
    ),
    "importance map": "Importance of each patch",
    "column": "column",
    "patch": "patch",
    "loss rise": "rise of {loss}",
    "absolute error": "absolute error",
    "score drop": "fall of {score}",
    "more columns": "{count} more",
    # hardest rows
    "hardest note": (
        "The rows with the largest loss. Look at them one by one: often the table is wrong and "
        "not the model. Row numbers count from 1, without the header{where}."
    ),
    "in validation": ", in the validation table",
    "row": "row",
    "p true": "p(true)",
    "cells note": "Of the columns, the most important ones are shown; {count} more are not.",
    "image": "image",
    "missing cell": "missing",
    # columns
    "kind": "kind",
    "done": "what was done",
    "missing": "missing",
    "not listed": "{count} more columns are not listed.",
    # again
    "again note": (
        "The same command on the same table with the same version gives the same model."
    ),
    "again stdin": "The rows came from standard input; give the same ones again.",
    "again python": "The same settings in Python:",
}
