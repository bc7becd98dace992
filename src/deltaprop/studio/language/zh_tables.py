"""Chinese words about tables."""

__all__ = ["WORDS"]

WORDS = {
    "set penguins": "企鹅",
    "set digits": "手写数字",
    "set own": "自己的表格…",
    "about penguins": "三种企鹅，共 344 只的测量值（Gorman，帕默站 LTER；CC0）。",
    "about digits": "8 × 8 像素的手写数字（Alpaydin 与 Kaynak 1998，UCI；CC BY 4.0）。",
    "about own": "自己的表格：第一行是列名，以下每行一个样本。数据不会离开这台电脑。",
    "own table hint": "选择一个 CSV 文件，或把它拖到本页任意处",
    "pixels": "{size} 像素",
    "tables": "表格",
    "reading": "正在读取 {name} …",
    "table lacking": "这个网址用的是表格 {name}，这里没有打开。请重新选择该文件。",
    "left out by you": "不使用",
    "code too large": "表格的行数超过本页所知，无法写成可重复的脚本。",
    "so many missing": "缺失 {n} 个",
    "rows of table": "{rows} 行。",
    "it asks for": "要预测",
    "as it was found": "自动判断：{task}",
    "task classes": "类别",
    "task numbers": "数值",
    "columns": "各列",
    "and more": "另有 {n} 个",
    "split again": "换一批留作检验",
    "how columns become numbers": "各列怎样变成数",
    "about encoding": (
        "数值 x 变为 s (x − 中位数)，其中 1/s 是该列中间一半的范围，再变为 x / √(1 + (x/3)²)，"
        "因此不会超出 ±3。缺失的数值取中位数，并另用一列标出缺失处。两个词变为 −1 和 +1；多个词"
        "各占一列（独热编码）。这些都只由用来学习的行确定，与 deltaprop train 相同。"
    ),
    "about pictures": "每个像素是一个输入，除以最大值，因此在 0 与 1 之间。",
    "plane": "平面",
    "principal axes": "主成分轴",
    "two inputs": "两个输入",
    "axis across": "横轴",
    "axis up": "纵轴",
    "others at their mean": "其余输入保持在平均值。",
    "about principal axes": "过平均值、各行差异最大的平面（主成分分析）。",
    "sample as picture": "样本的图像",
    "ask too large": "乘积不超过 {most} 个的网络才逐数显示每一步；这个网络有 {products} 个。",
    "became itself": "原样使用",
    "became number": "中位数 {center}，缩放 {scale}",
    "became number with gaps": "缺失另用一列标记",
    "became number with strays": "{strays} 个不是数的单元格视为缺失",
    "became two values": "{low} = −1，{high} = +1",
    "became categories": "独热编码，{n} 类",
    "became rarer categories": "另有 {n} 个少见类别按未知处理",
    "became constant": "略去：每个单元格都是 {only}",
    "became constant but missing": "缺失处有标记；其余单元格都是 {only}",
    "became empty": "略去：所有单元格都为空",
    "became names": "略去：{cells} 个单元格中有 {different} 个各不相同，是名称或文本",
    "became words that never return": "略去：它的 {different} 个词都只出现一次",
    "became picture": "除以 {largest}",
    "became other": "略去：日期、文本或位数很多的数由服务器处理（deltaprop studio 文件）",
    "note no header": "第一行就是数据：各列称为 column_1 至 column_{n}。",
    "note encoding": "文字按 {encoding} 编码读取。",
    "note first part": (
        "文件有 {size} MB：本页只读前 {rows} 行。deltaprop studio 文件 会读取全部。"
    ),
    "note sampled": "从 {rows} 行中随机取 {taken} 行。",
    "note target missing": "有 {missing} 行缺少目标，已略去。",
    "the target holds words": "目标是文字。",
    "the target holds fractions": "目标是带小数的数。",
    "the target holds few numbers": "目标在 {n} 行中有 {d} 个不同的整数。",
    "the target holds years": "目标是 {d} 个像年份的整数。",
    "the target holds many numbers": "目标在 {n} 行中有 {d} 个不同的整数。",
    "table binary": "这个文件不是文本：需要 CSV 表格。",
    "table empty": "{name} 是空的：需要一行列名和至少一行数据。",
    "table only header": "{name} 只有列名，没有数据行。",
    "table one column": (
        "{name} 只有一列：需要一个目标和至少一列供学习。分隔符是逗号、分号还是制表符？"
    ),
    "table too wide": "表格有 {columns} 列；本页最多接受 {most} 列。",
    "table ragged": (
        "第 {row} 行有 {found} 个单元格，而第一行有 {expected} 个。含逗号的单元格请用双引号括起来。"
    ),
    "table name twice": "有两列都叫 {name}。请改名。",
    "table too large": (
        "文件有 {size} MB；通过网页最多传 {most} MB。请用 deltaprop studio 文件 打开。"
    ),
    "no column left": "没有剩下可供学习的列。请至少选回一列。",
    "no column says anything": "没有一列含有可学的内容。",
    "too many inputs": "各列变成 {n} 个输入；最多接受 {most} 个。请去掉一些列。",
    "no such target": "{name} 没有名为 {target} 的列。",
    "target cannot be": "{target} 列在这里不能作为目标。",
    "target empty": "{target} 的单元格全是空的。",
    "target of words": "{target} 是文字：要预测的是类别。",
    "target of names": "{target} 有 {n} 个不同的词，大多只出现一次，无从学习。请换一个目标。",
    "target constant": "{target} 在所有行中都相同：没有可学的。",
    "too many classes": (
        "{target} 有 {n} 个类别；最多显示 {most} 个。请改为预测数值，或换一个目标。"
    ),
}
