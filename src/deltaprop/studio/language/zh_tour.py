"""Chinese words of the studio: its guided tour (page/tour.js)."""

__all__ = ["WORDS"]

WORDS = {
    "tour": "导览",
    "tour steps": "导览的各步",
    "tour title": "{k}. {title}",
    "tour leave": "离开导览",
    "tour back": "上一步",
    "tour next": "下一步",
    "tour end": "完成",
    "tour show": "替我做",
    "tour there": "带我去",
    "tour done": "完成了。",
    "tour begin title": "网络学习时发生了什么？",
    "tour begin": (
        "这次导览把同一条路走三遍：先看整体，再逐级看，最后看每一个数。例子很小，用纸笔就能验算。"
        "随时可以离开，回来时从离开的那一步继续。"
    ),
    "tour net title": "总体观：一个网络",
    "tour net": (
        "左边是两个输入，中间是两个隐藏神经元，右边是一个输出。每条线是一个权重，线上写着它的数值。"
        "唯一的点输入为 1 和 0.5，期望的答案是 4。"
    ),
    "tour forward title": "总体观：数值向前流",
    "tour forward": (
        "神经元把传进来的数乘以权重再相加：上面那个是 1 · 0.5 + 0.5 · 1.5 = 1.25。数值就这样从左"
        "到右传过去。"
    ),
    "tour forward do": "按一次“一个阶段”（圆环按钮）。",
    "tour forward after": "隐藏神经元是 1.25 和 3.8，相加得输出 5.05。正确的答案应是 4。",
    "tour loss title": "总体观：损失",
    "tour loss": "最右边是损失：误差平方的一半。这一个数说明网络错得有多厉害，学习就是让它变小。",
    "tour loss do": "再按一次“一个阶段”。",
    "tour loss after": "(5.05 − 4)² / 2 = 0.55125。",
    "tour backward title": "总体观：delta 向后流",
    "tour backward": (
        "现在往回走，从右到左。delta 表示：这个神经元的加权和增加一点点，损失会增加多少倍。起点在"
        "损失处，等于 1：∂L/∂L = 1。"
    ),
    "tour backward do": "第三次按“一个阶段”。",
    "tour backward after": (
        "输出的 delta 是 5.05 − 4 = 1.05。它沿连线往回传，乘上权重（这里都是 1）：两个隐藏神经元"
        "都得到 1.05。"
    ),
    "tour layer title": "逐级观：神经元的值",
    "tour layer": (
        "同样的事，用公式再看一遍。每一层的值只有一个公式：z = a W（+ b），然后 a = f(z)。这个例"
        "子里 f 是恒等函数，所以 a 与 z 是同一个数。"
    ),
    "tour layer do": "点击上面的隐藏神经元。",
    "tour layer after": (
        "图的下方是它的公式，接着是代入数之后的样子。那里的每个数都可以点击，看它从何而来。"
    ),
    "tour delta title": "逐级观：神经元的 delta",
    "tour delta": (
        "“反向”一栏是它的 delta：把下一层的每个 delta 乘以通向它的权重，相加，再乘以导数 f'(z)。"
        "线性神经元的导数是 1，所以这里看不出来；换成 tanh 或 sigmoid，正是这个因子会让 delta 变"
        "小。"
    ),
    "tour gradient title": "逐级观：权重的梯度",
    "tour gradient": (
        "权重的左边是一个值，右边是一个 delta。它的梯度就是两者的乘积：这个权重增加一点点，损失会"
        "增加多少倍。"
    ),
    "tour gradient do": "点击从下面的隐藏神经元到输出的那条线。",
    "tour gradient after": "3.8 · 1.05 = 3.99：左边的值乘以右边的 delta。",
    "tour update title": "例子：走一步",
    "tour update": (
        "每个权重都朝梯度的反方向移动，幅度是学习率 0.1 乘以梯度：1 − 0.1 · 3.99 = 0.601。所有梯"
        "度都用旧的权重计算，然后所有权重一起移动。"
    ),
    "tour update do": "按“一步”。",
    "tour update after": "六个权重都更新了，损失从 0.55125 降到 0.3388。",
    "tour again title": "例子：这一步做到了什么",
    "tour again": "用新的权重，输出从 5.05 变成 3.1768。步子偏大，越过了 4；但新的误差比旧的小。",
    "tour repeat title": "重复，直到学会",
    "tour repeat": "学习不过就是这样一遍又一遍：前向、损失、反向、更新。",
    "tour repeat do": "反复按“一步”，直到损失低于 0.00005。",
    "tour repeat after": (
        "十三步之后，输出与 4 相差不到 0.01。用左边的后退按钮可以退回去，数值完全相同。"
    ),
    "tour rate title": "一步走多远",
    "tour rate": (
        "学习率决定每一步走多远。大一些就快一些，直到太大：那时每一步都落到比原来更远的地方。"
    ),
    "tour rate do": "把学习率选为 0.3，走几步。",
    "tour rate after": "损失一步比一步大，直到数值溢出。这叫发散。",
    "tour classes title": "从一个数到多个类别",
    "tour classes": (
        "常常要求的不是一个数，而是一个类别：给电影打几颗星，一本书放在哪个书架上。这时有几个类别"
        "就有几个输出，这里是三个。其余不变：数值向前流，delta 向后流。"
    ),
    "tour classes do": "按“运行”，直到正确率至少 95 %。",
    "tour classes after": "平面被分成三个区域，每个类别一个。",
    "tour softmax title": "softmax：分一整份",
    "tour softmax": (
        "softmax 把三个加权和 z 变成三个概率：各自取 exp，再除以三者之和。它们都在 0 与 1 之间，"
        "加起来等于 1。配上交叉熵，n 倍的 delta 就是 p − t，n 是这一批的点数。"
    ),
    "tour softmax do": "点击三个输出中的一个。",
    "tour softmax after": "它的公式里出现了全部三个加权和。一个概率变大，其他的就变小。",
    "tour sigmoid title": "sigmoid：各算各的",
    "tour sigmoid": (
        "sigmoid 只看一个加权和，给出“是”的概率：1 / (1 + exp(−z))，其余归“否”。两个类别用一个 "
        "sigmoid 就够了。多个类别时，每个输出各答各的，加起来不一定是 1。"
    ),
    "tour sigmoid do": "把损失选为二元交叉熵：它配的是 sigmoid。",
    "tour sigmoid after": "各输出中的数加起来不再是 1。输出的公式里只有它自己的 z。",
    "tour zero title": "为什么糟糕的起点什么也学不到",
    "tour zero": "换一组数据，初始权重全部是 0。图中显示的是 delta。你猜会怎样？",
    "tour zero do": "按“运行”，几百步之后按“暂停”。",
    "tour zero after": (
        "什么也没发生：delta 往回传要乘以权重，而权重是 0。梯度是值乘以 delta，这里两者都是 0。假"
        "如权重都相等但不为 0，同一层的神经元就会永远一样。"
    ),
    "tour start title": "好的起点",
    "tour start": (
        "所以权重要随机开始，不能太小也不能太大：有正有负的小数，使数值与 delta 逐层传递时大小相"
        "近。"
    ),
    "tour start do": "把初始权重选为 Glorot，按“运行”，直到正确率至少 95 %。",
    "tour start after": "同样的网络，同样的点：只是起点不同。",
    "tour finish title": "就是这些",
    "tour finish": (
        "前向、损失、反向、更新：再大的网络也不过如此。下方有行得通和行不通的设置，并说明原因。你"
        "也可以自己画一组数据，看看怎样才能学会它。"
    ),
}
