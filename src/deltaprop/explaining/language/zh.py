"""Chinese; field terms as textbooks have them."""

from __future__ import annotations

WORDS = {
    # altitudes
    "overview": "整体图：数值向前流动 →，误差项 δ 向后流动 ←",
    "layers": "各层：公式",
    "neurons": "各神经元：每一个数",
    # phases
    "forward": "前向传播：z = a W + b，a = f(z)",
    "loss": "损失",
    "backward": "反向传播：δ = dL/dz，从损失传到输入",
    "gradient": "梯度：输入的激活值乘以 δ",
    "update": "更新：所有梯度都在旧权重处求得",
    "after": "用新权重再算一遍",
    # the picture
    "inputs": "输入",
    "layer": "第 {number} 层：{activation}",
    "output": "输出：{activation}",
    "sample": "（样本 {number}）",
    "more": "（另有 {count} 个）",
    "target": "目标 t",
    "loss L": "损失 L",
    # conventions
    "mean": "{count} 个样本的平均",
    "sum": "{count} 个样本的总和",
    "one sample": "单个样本",
    "conventions": "{loss}，{mean}；δ = dL/dz；所有梯度都在旧权重处求得；ReLU 的 f'(0) 取 0。",
    "penalties": "惩罚项计入损失和梯度，只作用于权重，不作用于偏置。",
    # layer equations
    "given by": "由 {loss} 给出",
    "sum over samples": "对样本求和 Σ {what}",
    "new": "新的 {what}",
    "after the step": "更新之后",
    "strongest": "{count} 个数中最强的 {shown} 个，以及它们由哪些数算出：",
    "shown on request": "共 {count} 个数；--detail neurons 逐个显示。",
    # proof of one gradient
    "beside a gradient": "中心差分 {measured}，相对误差 {error}",
    "no derivative": "不作判断：损失在此处不可导",
    # promise and fact
    "promise": "这一步的预期与实际",
    "loss before": "更新前的损失",
    "loss after": "更新后的损失",
    "promised": "预期的变化",
    "gradient times step": "梯度 · 步长",
    "brought": "实际的变化",
    # documents
    "document": "一步训练，每一个数",
    "shape": "{shape}；{count} 个参数。",
    "step": "更新规则：{optimizer}，η = {rate}。",
    "biases stay": "偏置保持不变。",
    "neuron": "神经元",
    "name": "名称",
    "more terms": "其余 {count} 项",
    "compile": "请用 {engine} 编译。",
    "formula": "公式",
    "with numbers": "代入数值",
    "result": "结果",
    "number": "量",
    "notebook": "下面每一个数都由 deltaprop 求得；每个代码单元把它重新算一遍并作比较。",
    "notebook given": "已知：网络、参数和样本",
    "own rule": "优化器不是 deltaprop 自带的；新参数按给定值使用。",
    # the page
    "values forward": "数值向前流动 →",
    "deltas back": "← 误差项 δ 向后流动",
    "contents": "本页内容",
    "given numbers": "已知：输入、目标、参数、设置",
    "terms left out": "另有 {count} 个：{number}",
    "made of": "由什么得来",
    "goes into": "用到哪里",
    "is given": "这是已知的数。",
    "goes nowhere": "不再用到别处。",
    "stepper": "步骤",
    "first step": "第一步",
    "previous step": "上一步",
    "next step": "下一步",
    "last step": "最后一步",
    "go back": "返回",
    "step of": "第 {number} 步，共 {count} 步",
    "trail": "来路",
    "how to read": (
        "点击任意一个数，就能看到它由什么得来、用到哪里。按键：← 和 → 逐步移动，"
        "Home 和 End 跳到首尾，Backspace 返回。"
    ),
    "picture sample": "样本 {number}",
    "proved": "{count} 个梯度中有 {right} 个与中心差分一致。",
    "right": "正确",
    "wrong": "错误",
    "kink": "不作判断：损失在此处不可导",
    "central difference": "中心差分 {number}",
    "relative error": "相对误差 {number}",
    "made by": "由 deltaprop {version} 生成",
}
