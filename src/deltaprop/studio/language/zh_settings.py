"""Chinese words of the studio: why settings of page/settings.js work, or do not."""

__all__ = ["WORDS"]

WORDS = {
    "settings moons two layers": (
        "两层 tanh 足以让分界线弯到所需的程度，Adam 自行调整步长。几百步之内就能看到弯曲的分界线。"
    ),
    "settings moons one relu layer": (
        "每个 relu 神经元给分界线添一个折点，八个绰绰有余。分界线由直线段拼成。"
    ),
    "settings moons plain descent": (
        "只要学习率够大，普通的梯度下降就够了：损失先慢慢下降，分界线开始弯曲后便很快下降。"
    ),
    "settings moons no hidden layer": (
        "没有隐藏层，分界线只能是直线。它大约能分对九成，月牙的尖端跑多久也分不对。"
    ),
    "settings moons too slow": "学习率太小。方向没有错，损失也在下降，但要等上好几万步。",
    "settings moons zero weights": (
        "权重全为零时，隐藏神经元都输出 0，也不向后传递梯度。只有输出层的偏置在动，平面始终是一种"
        "颜色。"
    ),
    "settings moons deep sigmoid": (
        "sigmoid 的导数最大只有 1/4，五层中每过一层，delta 就缩小一次。传到第一层的几乎为零，后面"
        "的神经元几乎都是平的。"
    ),
    "settings moons few noisy points": (
        "二十个点、很大的噪声、几百个权重：它把每个点都背了下来。训练点全对，留作检验的点却错了许"
        "多，检验损失不断上升。"
    ),
    "settings circles four tanh": (
        "三刀就能围住圆，四个神经元还多一个。分界线像圆角的三角形或四边形，把圆围在里面。"
    ),
    "settings circles eight relu": (
        "八个 relu 神经元用直线段围住圆。He 初始化让各层数值的大小相近。"
    ),
    "settings circles no hidden layer": (
        "没有一条直线能把圆和外面的环分开。损失停在 0.69 = log 2 附近，也就是瞎猜的损失。"
    ),
    "settings circles two neurons": "两个神经元只有两刀，总有一边是敞开的，围不住圆：至少要三个。",
    "settings circles dead relu": (
        "最初几步太大，把每个 relu 神经元在所有点上都推到了 0 以下。此后它输出 0，导数也是 0，再"
        "也回不来。"
    ),
    "settings circles equal weights": (
        "起点相同的神经元得到相同的梯度，永远相同：八个神经元只顶一个。它们的图像始终一样。"
    ),
    "settings circles penalty": (
        "对大权重的惩罚超过了数据的要求，把权重都拉向 0，平面变成一种颜色。"
    ),
    "settings spirals two layers": "第一层切割平面，第二层把切口组合成旋臂。Adam 需要几百步。",
    "settings spirals wide relu": (
        "每层十六个神经元比所需的多，学起来反而容易：损失下降得又快又稳。"
    ),
    "settings spirals plain descent": (
        "层够宽、学习率够大，普通的梯度下降也能学会，只是比 Adam 晚一些。"
    ),
    "settings spirals three neurons": (
        "三个神经元只有三刀，对三条互相缠绕的旋臂来说太少了。总有一部分旋臂分不对。"
    ),
    "settings spirals deep sigmoid": (
        "三层 sigmoid 加普通的梯度下降：delta 在回传途中不断缩小，损失在 log 3 处停留很久才开始动。"
    ),
    "settings spirals too slow": (
        "这个学习率适合 Adam，因为它的步长与梯度大小无关。普通的梯度下降走的是学习率乘梯度，在这"
        "里太小了。"
    ),
    "settings spirals too fast": (
        "每一步都把每个权重移动约 1。加权和很快大到 tanh 处处等于 -1 或 1，那里导数为 0：再也学不"
        "动了。"
    ),
    "settings spirals penalty": (
        "分界线要急转弯，旋臂需要较大的权重。惩罚不允许，区域始终过于平滑。"
    ),
    "settings spirals equal weights": (
        "同一层的神经元起点相同，梯度相同，永远相同。十六个神经元只干了两个的活。"
    ),
    "settings xor four tanh": (
        "需要组合两刀，四个神经元为不走运的起点留了余地。几百步之内，两条对角线各得其色。"
    ),
    "settings xor eight relu": (
        "八个 relu 神经元，加上学习率较大的普通梯度下降：总有足够多的神经元起点就有用。"
    ),
    "settings xor no bend": (
        "隐藏层是有的，却是线性的：两个线性层等于一个线性层。分界线仍是直线，与瞎猜差不多。"
    ),
    "settings xor two neurons": (
        "两个神经元本来也可能够用，但从这个起点出发会卡住：四个角只有三个分对。多几个神经元，机会"
        "就多一些。"
    ),
    "settings xor small weights": (
        "两层权重都接近 0：delta 回传时要乘上很小的权重。损失停在 log 2，像什么都没发生。"
    ),
    "settings xor too fast": (
        "步子已经太大，动量又把它们累加起来。权重涨到几百，tanh 饱和，分界线跳来跳去，定不下来。"
    ),
    "settings xor equal weights": (
        "四个相同的神经元只顶一个：只有一刀。大约四分之三的点分对，再多就没有了。"
    ),
    "settings blobs no hidden layer": (
        "这些点云用直线就能分开，不需要隐藏层。权重越少，每个权重的作用越清楚。"
    ),
    "settings blobs four tanh": "加一个小隐藏层也无妨：学到的分界线大致相同，只是略圆一些。",
    "settings blobs too slow": "一千步之后几乎没有变化。把学习率放大一千倍，一百步就够了。",
    "settings blobs deep sigmoid": (
        "数据很容易，网络却太深：五层 sigmoid 几乎不让梯度通过。减少层数，或改用 relu。"
    ),
    "settings blobs wrong loss": (
        "softmax 配平方误差，又从很大的权重开始：网络错得越肯定，softmax 的导数越接近 0，delta 也"
        "跟着为 0。交叉熵没有这个因子：换成它，同样的起点就能学会。"
    ),
    "settings blobs one neuron": (
        "六团点要挤过一个神经元，也就是 0 与 1 之间的一个数。沿它的方向看重叠的点云就分不开了。"
    ),
    "settings blobs few noisy points": (
        "三十个点，点云互相重叠：网络让分界线绕着单个的点走。训练点全对，留作检验的点却不行。"
    ),
    "settings plane no hidden layer": (
        "均匀增长的数，一个线性神经元恰好能表达。损失降到噪声的水平，不会更低。"
    ),
    "settings plane one tanh layer": (
        "并不需要隐藏层，但也行得通：tanh 在 0 附近几乎是直的，这一层用的就是那一段。"
    ),
    "settings plane too fast": (
        "每一步都越过谷底，落到比原来更高的地方。损失无限增大，直到数值溢出。"
    ),
    "settings plane too slow": "起点太远（权重太大），步子又太小。损失一直在降，只是路太长。",
    "settings plane penalty": (
        "在这样的惩罚下，小权重比拟合得好更划算。曲面的坡度不到数据的三分之一。"
    ),
    "settings plane dead relu": (
        "只有一个 relu 神经元，最初几步就把它在所有点上推到 0 以下。它处处输出 0，再也学不了。若"
        "有八个，总会有几个活下来。"
    ),
    "settings plane few noisy points": (
        "二十个带噪声的点，网络却很大：它让曲面穿过每一个点。训练损失趋于 0，检验损失却是没有隐藏"
        "层的网络的两倍多。"
    ),
    "settings waves wide relu": "神经元很多，每个添一道折痕；丘陵由许多平面片拼成。",
    "settings waves two layers": "两层各八个 tanh，与丘陵一样光滑，数量也不多，看得清楚。",
    "settings waves no hidden layer": "用平面去拟合丘陵：最好也只能是平的，等于所有数的平均值。",
    "settings waves two neurons": "两个神经元只有两道坡：对并排的山丘和洼地来说太少了。",
    "settings waves deep sigmoid": (
        "四层 sigmoid：传到第一层的梯度太小，曲面一直平平地停在平均值上。"
    ),
    "settings waves penalty": "所有权重都被拉向 0，曲面是平的。丘陵需要较大的权重。",
    "settings waves too fast": (
        "求一个数时，delta 没有上限：一步太大，下一步的误差就更大，如此下去直到数值溢出。"
    ),
    "settings waves few noisy points": (
        "三十个点分不清山丘与噪声。网络把它们全部拟合，点与点之间的曲面是它自己编的。"
    ),
    "settings tutorial as it is": (
        "教程本来的设置。第一步就越过了答案，但损失每一步都在降；十三步之后，输出与 4 相差不到 "
        "0.01。"
    ),
    "settings tutorial half as fast": (
        "学习率减半，反而更早到达：每一步不再越过答案，而是径直走向它。"
    ),
    "settings tutorial too fast": (
        "学习率变为三倍：每一步都落到离答案更远的地方，十步之内数值就溢出了。"
    ),
    "settings tutorial too slow": (
        "学习率只有百分之一：每一步都对，却微不足道。五十步之后，损失还剩六分之一。"
    ),
    "settings tutorial zero weights": (
        "权重全为零，输出就是 0，每个梯度都是含有 0 的乘积。损失永远停在 8：4² / 2。"
    ),
    "settings tutorial penalty": (
        "惩罚把六个权重都往 0 拉，得出的答案偏小：这是在拟合与小权重之间的折中。"
    ),
}
