"""Chinese words of the studio: sets given as a formula (page/formula.js)."""

__all__ = ["WORDS"]

WORDS = {
    "set formula": "公式",
    "about formula": "随机取点，由 x1 与 x2 的公式决定答案。",
    "formula": "公式",
    "formula examples": "例子",
    "formula hint": (
        "公式给出要学的数。条件（如 x1 > 0）给出两个类别；多个条件用分号隔开，点归入最先成立的那"
        "一个，其余的点为一类。可用 + - * / ^、and、or、pi、exp、log、sqrt、abs、sin、cos、tanh、"
        "max、min。"
    ),
    "formula empty": "请写出 x1 与 x2 的公式，例如 sin(3*x1)*x2。",
    "formula long": "公式最多 {most} 个字符。",
    "formula sign": "第 {place} 个字符：公式里不认识“{found}”。",
    "formula name": "第 {place} 个字符：不认识“{found}”；可用 x1、x2、pi、{functions}。",
    "formula wanted": "第 {place} 个字符：这里应是数、x1、x2、函数或括号，而不是“{found}”。",
    "formula ends": "公式在第 {place} 个字符处结束，这里还缺数、x1、x2、函数或括号。",
    "formula after": "第 {place} 个字符：这里不能接“{found}”；前面也许少了 * 之类的符号。",
    "formula open": "第 {opened} 个字符处的括号没有闭合。",
    "formula call": "第 {place} 个字符：{name} 后面要有括号：{name}(x1)。",
    "formula one": "第 {place} 个字符：{name} 只取一个数。",
    "formula several": "第 {place} 个字符：{name} 取两个或更多的数，用逗号隔开。",
    "formula chain": "第 {place} 个字符：出现了第二个比较；两个比较请用 and 连接。",
    "formula many": "最多 {most} 个条件。",
    "formula no condition": (
        "第 {place} 个字符开始的部分不是条件；分号之间的每一部分都要有 < 或 >。"
    ),
    "formula nowhere": "在 -1 到 1 的平面上，它几乎处处没有值。",
    "formula large": "它的值大到 {largest}；最多只能到 {most}。请把它除小一些。",
}
