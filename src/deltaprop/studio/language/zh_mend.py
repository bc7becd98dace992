"""Chinese words of the studio: which change helps a run that does not learn (page/mend.js)."""

__all__ = ["WORDS"]

WORDS = {
    "mend": "改什么才有效？",
    "mend run": "一次学不会的训练：第 {k} 个，共 {n} 个",
    "mend hint": (
        "看看它的损失和各个数，找出学不会的原因。选一种改动：四种改动都会在同样的点上当场试一遍。"
    ),
    "mend ask": "哪种改动有效？",
    "mend points": "各点：两个类别，输入大到 {most}",
    "mend curve": "这次训练的损失随步数的变化",
    "mend curve of": "作此改动后的损失：{said}",
    "mend steps": "{steps} 步",
    "mend ended": "损失最终为 {loss}；{right} % 分对。",
    "mend diverged": "数值溢出了。",
    "mend yours": "（你的选择）",
    "mend right": "对了。",
    "mend wrong": "这没有用。",
    "mend because": "学不会的原因：{said}。",
    "mend again": "重新选",
    "mend next": "下一个",
    "mend why learning_rate_too_low": (
        "损失一直均匀下降，只是没走多远：方向是对的，步子太小。这样的步子再多两倍也还不够，神经元"
        "再多，步子也还是那么小。"
    ),
    "mend why learning_rate_too_high": (
        "损失不降，反而跳来跳去：每一步都远远越过谷底，权重大到神经元已饱和。这样的步子再多也只是"
        "继续跳；缩放输入也没有多大用处。"
    ),
    "mend why no_nonlinearity": (
        "没有隐藏层，类别的分界线就是直线，而这些点用任何直线都分不开。步子再多、再大，都不能让它"
        "弯曲。"
    ),
    "mend why symmetric_weights": (
        "开始时两层的 W 及其梯度都是 0：隐藏神经元输出 0，向后流的量又乘以 0 的权重。神经元再多也"
        "永远一样；只有随机抽取的权重才能让它们分开。"
    ),
    "mend why dead_units": (
        "偏置 −30 使 relu 在所有点上都小于 0，隐藏神经元全部输出 0；那里导数也是 0，没有什么能把"
        "它抬起来。换成 tanh 而偏置不变，神经元就饱和了：要改的是起点。"
    ),
    "mend why unscaled_inputs": (
        "输入上千，每个加权和都远在 tanh 平坦的地方：导数几乎为 0，第一层几乎学不动。缩放到均值 0、"
        "标准差 1 之后，就落在 tanh 陡的地方。"
    ),
    "mend why saturated_units": (
        "偏置 25 使隐藏神经元在所有点上都输出 1。那里 sigmoid 的导数几乎为 0，tanh 也一样平：步子"
        "再大也只动得了最后一层。偏置为 0 时，神经元才能区分各点。"
    ),
}
