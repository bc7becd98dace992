"""What is registered, in Chinese: one row each, by kind and name.

Terms as textbooks have them. A name that has no row here is somebody's own and stays as it is, as
every name does in English.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["NAMES", "called", "name_and_term", "named", "short_name"]

NAMES: Mapping[str, Mapping[str, str]] = {
    "activation": {
        "identity": "恒等函数",
        "sigmoid": "S 型函数",
        "tanh": "双曲正切",
        "softsign": "软符号函数",
        "relu": "修正线性单元",
        "leaky_relu": "带泄露修正线性单元",
        "elu": "指数线性单元",
        "selu": "缩放指数线性单元",
        "gelu": "高斯误差线性单元",
        "silu": "S 型线性单元",
        "softplus": "平滑修正函数",
        "mish": "自正则化激活函数",
    },
    "output": {
        "identity": "恒等函数",
        "sigmoid": "S 型函数",
        "softmax": "归一化指数函数",
        "exp": "指数函数",
    },
    "loss": {
        "cross_entropy": "交叉熵",
        "binary_cross_entropy": "二元交叉熵",
        "half_squared_error": "平方误差",
        "half_squared_error_sigmoid": "经 S 型函数的平方误差",
        "half_squared_error_softmax": "经归一化指数函数的平方误差",
        "huber": "胡贝尔损失",
        "poisson": "泊松损失",
    },
    "initializer": {
        "glorot_uniform": "Glorot 均匀初始化",
        "glorot_normal": "Glorot 正态初始化",
        "he_uniform": "He 均匀初始化",
        "he_normal": "He 正态初始化",
        "lecun_uniform": "LeCun 均匀初始化",
        "lecun_normal": "LeCun 正态初始化",
        "standard_normal": "标准正态初始化",
        "orthogonal": "正交初始化",
        "zeros": "零初始化",
    },
    "layer": {
        "dense": "全连接层",
        "dropout": "随机失活",
        "scaling": "缩放",
        "layer_norm": "层归一化",
        "parametric_activation": "参数化激活函数",
        "periodic_embedding": "周期嵌入",
        "category_embedding": "类别嵌入",
    },
    "optimizer": {
        "gradient_descent": "梯度下降",
        "momentum": "动量法",
        "rmsprop": "均方根传播",
        "adam": "自适应矩估计",
        "adamw": "解耦权重衰减的自适应矩估计",
        "lion": "符号动量法",
        "muon": "正交化动量法",
    },
    "schedule": {
        "constant": "固定学习率",
        "step": "分段常数衰减",
        "exponential": "指数衰减",
        "cosine": "余弦衰减",
        "log_cosine": "对数余弦周期衰减",
        "one_cycle": "单周期学习率",
        "warmup": "学习率预热",
    },
    "metric": {
        "accuracy": "准确率",
        "balanced_accuracy": "平衡准确率",
        "f1": "F1 分数",
        "auc": "ROC 曲线下面积",
        "log_loss": "对数损失",
        "r2": "决定系数",
        "rmse": "均方根误差",
        "mae": "平均绝对误差",
        "poisson_deviance": "平均泊松偏差",
    },
    "preset": {"fast": "快速", "best": "最佳", "plain": "朴素"},
}

_SQUARED = "half_squared_error_"  # on any activation


def called(kind: str, name: str, language: str) -> str:
    """Return the name of something registered in a language; as it is where it has no other."""
    plain = name.replace("_", " ")
    if language == "en":
        return plain
    found = NAMES[kind].get(name)
    activation = name.removeprefix(_SQUARED)
    if found is None and kind == "loss" and activation in NAMES["activation"]:
        return f"经{NAMES['activation'][activation]}的平方误差"
    return found or plain


def short_name(function: str, language: str) -> str:
    """Return what a function is called where there is little room: as formulas have it.

    The identity stands in none, so it is called by its name.
    """
    found = NAMES["activation"].get(function) if language != "en" else None
    return found if found and function == "identity" else function


def name_and_term(kind: str, name: str, language: str) -> str:
    """Return the name with its English term in brackets, as where it is first mentioned."""
    plain, found = name.replace("_", " "), called(kind, name, language)
    return found if found == plain else f"{found}（{plain}）"


def named(name: str) -> str:
    """Return a name as it is typed, with its Chinese before it, whatever it is the name of."""
    found = next((names[name] for names in NAMES.values() if name in names), None)
    return f"{found}（{name}）" if found else name
