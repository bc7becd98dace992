"""Chinese."""

from __future__ import annotations

WORDS = {
    # the head
    "title": "预测 {target} 的结果",
    "title from": "用 {source} 预测 {target} 的结果",
    "lead validation": (
        "{who}从 {train} 行中学习。除非另有说明，下面的数字都来自另外 {val} 行（{how}）。"
    ),
    "lead folded": (
        "{who}从 {train} 行中学习，每一行都有一个网络在训练时没有见过。除非另有说明，下面的"
        "数字都来自没有见过该行的那个网络。"
    ),
    "lead sample": "其中抽取了 {rows} 行来评估。",
    "lead training": (
        "{who}从 {train} 行中学习，没有留出验证行：下面的数字来自学习过的行本身，不能说明它对新"
        "数据的表现。"
    ),
    "one network": "网络",
    "several networks": "{members} 个网络",
    "held out": "从同一张表中留出",
    "given rows": "另外给出",
    "contents": "目录",
    "made by": "由 deltaprop {version} 生成。",
    "and": "、",
    # sections
    "summary": "概览",
    "warnings": "警告",
    "curves": "学习曲线",
    "mistakes": "哪些类别容易混淆",
    "classes": "各个类别",
    "numbers": "预测值与真实值",
    "calibration": "概率可信吗？",
    "importance": "哪些列重要",
    "hardest": "最难预测的行",
    "columns": "每一列如何处理",
    "again": "如何重现",
    # figures
    "accuracy": "准确率",
    "log_loss": "对数损失",
    "majority": "总猜最常见的类别",
    "accuracy of labels": "全部标签都正确的行",
    "majority of labels": "每个标签总猜较常见的取值时的同一指标",
    "label_accuracy": "预测正确的标签",
    "poisson_deviance": "平均泊松偏差",
    "balanced_accuracy": "平衡准确率",
    "auc": "AUC（曲线下面积）",
    "r2": "R²",
    "rmse": "RMSE（均方根误差）",
    "mae": "MAE（平均绝对误差）",
    "baseline_rmse": "总猜平均值的 RMSE",
    "interval": "95% 置信区间：{low} 到 {high}",
    "training rows": "训练行",
    "validation rows": "验证行",
    "figure": "指标",
    # facts
    "fact table": "数据表",
    "fact target": "目标",
    "fact task": "任务",
    "fact rows": "行",
    "fact columns": "列",
    "fact network": "网络",
    "fact training": "训练",
    "fact engine": "计算",
    "fact seed": "随机种子",
    "fact versions": "版本",
    "classification": "分类：{classes}",
    "more classes": "{classes} 以及另外 {count} 类",
    "multilabel": "多个标签，各为真或假：{classes}",
    "regression": "预测数值",
    "rows held": "{train} 行用于学习，留出 {val} 行用于选择轮次{also}",
    "rows folded": "共 {train} 行，每一行都由 {members} 个成员中的一个留出，用来选择它的轮次{also}",
    "rows given": "{train} 行用于学习，另给 {val} 行用于选择轮次{also}",
    "also temperature": "和温度",
    "rows only": "{train} 行用于学习，没有留出",
    "inputs": "{columns} 列，变成 {inputs} 个输入",
    "network": "各层 {sizes}，共 {parameters} 个参数",
    "epochs": "{epochs} 轮，{steps} 步，{seconds} 秒：{why}",
    "kept": "；第 {epoch} 轮最好，予以保留",
    "members": "；这是 {members} 个成员中的第一个，输出取它们的平均",
    "engine": "引擎 {engine}，{dtype}",
    "stopped epochs": "所有轮次都已运行",
    "stopped patience": "验证指标不再改善",
    "stopped time_budget": "时间预算已用完",
    "stopped interrupted": "训练被中断",
    "stopped callback": "回调函数要求停止",
    "stopped diverged": "损失不再是有限的数",
    # warnings
    "serious": "请先看这一条：",
    "nothing found": (
        "没有发现可疑之处。检查过：泄露目标的列、同时在训练和验证中的行、过小的类别、过少的验证行。"
    ),
    "leak limit": "{count} 列中，只检查了最强的 {shown} 列是否泄露目标。",
    "finding diverged": "训练在第 {epochs} 轮发散，保留了之前最好的权重。请减小学习率。",
    "finding no validation": (
        "没有留出验证行，所以这里没有任何数字能说明模型在新数据上的表现。请用 --val 给出验证行"
        "，或者至少用 20 行来学习。"
    ),
    "finding still improving": "{epochs} 轮中最后一轮最好：增加轮次（--epochs）可能还会改善。",
    "finding other rows": (
        "给出的 {of:,} 行训练行中，只有 {rows:,} 行是模型学过的：这些指标是用别的行算出的，哪些行被"
        "留出也无从得知。"
    ),
    "finding no better": (
        "准确率 {accuracy} 并不比总猜最常见的类（{majority}）更好：模型没有学到有用的东西。"
    ),
    "finding no better than the mean": "R² 为 {r2:.3f}：模型不比总猜平均值更好。",
    "finding hardly better": (
        "准确率 {accuracy}（95% 置信区间：{low} 到 {high}）并不明显好于总猜最常见的类（{majority}"
        "）。要么各列与答案关系不大，要么行数太少、无法判断，要么某一类太常见、准确率说明不了问题"
        "：这时请看其他类的召回率，并试试 --class-weight balanced。"
    ),
    "finding rarely found": "类别“{class}”的行只有 {recall} 被找出。",
    "finding hardly better than the mean": (
        "R² 为 {r2:.3f}（95% 置信区间：{least:.3f} 到 {most:.3f}）：模型并不明显好于总猜平均值。要"
        "么各列与答案关系不大，要么行数太少、无法判断。"
    ),
    "finding leak": (
        "仅凭“{column}”这一列就能得知 {target} 的 {score}。得到答案之前就知道这一列吗？如果"
        "不是，它就泄露了答案，而新数据中不会有它：请去掉这一列。"
    ),
    "finding identical": (
        "“{column}”这一列与 {target} 几乎是同一个数（相关系数 {correlation:.5f}）。得到答案之前就"
        "知道这一列吗？如果不是，请去掉它。"
    ),
    "finding duplicates": (
        "{of:,} 个验证行中有 {rows:,} 行在网络看来与某个训练行完全相同：这些数字因死记硬背而"
        "偏高。请删除重复行，或用 --val 把同一来源的行放在同一侧。"
    ),
    "finding coarse": (
        "{of:,} 个验证行中有 {rows:,} 行在网络看来与某个训练行相同；这张表中不同的行本来就少（"
        "{n:,} 行中只有 {different:,} 种），这是表格本身的特点。"
    ),
    "finding tiny classes": (
        "有 {count:,} 个类别的训练行少于 {least} 行（{classes}）：几乎学不到。请收集更多这些类"
        "别的行，或把它们合并。"
    ),
    "finding unjudged classes": (
        "有 {count:,} 个类别没有验证行（{classes}）：它们识别得如何无从得知。"
    ),
    "finding few rows": (
        "只有 {rows} 个验证行：在这么少的行上测得的准确率，95% 置信区间为 {low} 到 {high}。"
    ),
    "finding few numbers": "只有 {rows} 个验证行：这些数字可能有较大偏差。",
    "remarks": "读取表格时的提示（{count} 条）",
    # learning curves
    "epoch": "轮次",
    "one network of curves": "该网络",
    "first network": "第一个网络",
    "objective": "训练目标",
    "training": "训练",
    "validation": "验证",
    "objective plot": "每轮的训练目标",
    "metric plot": "每轮在验证行上的{metric}",
    "kept epoch": "保留：{epoch}",
    "curves note": (
        "训练目标就是每一步要减小的量：标签经过平滑的交叉熵，或以标准差为单位的平方误差的一半。训"
        "练行的值是一轮内的平均，在每一步之前取，含惩罚项和随机失活；验证行的值在该轮之后取，不含"
        "这些。两条曲线属于{which}；页首的指标属于训练完成的模型。"
    ),
    "no curves": "没有完成任何一轮。",
    # classes
    "true": "真实",
    "predicted": "预测",
    "true predicted": "真实 ↓，预测 →",
    "class": "类别",
    "label": "标签",
    "learnt rows": "训练行数",
    "support": "行数（支持度）",
    "precision": "精确率",
    "recall": "召回率",
    "f1": "F1",
    "mean of classes": "各类平均：{figures}。",
    "precision note": (
        "精确率：被判为该类的行中，确实属于该类的比例。召回率：属于该类的行中，被找到的比例。F1"
        "：二者的调和平均。最难的类别在前。"
    ),
    "mistakes list": "最常见的错误",
    "rows": "行数",
    "mistakes count": "{of} 行中有 {count} 行预测错误。",
    "no matrix": "共有 {count} 个类别，只列出最常见的错误。",
    "all classes": "其余 {count} 个类别",
    # numbers
    "scatter": "{name}：预测值与真实值",
    "residuals": "{name}：真实值 − 预测值",
    "target": "目标",
    "numbers note": "落在点线上的预测完全正确。{rows} 行中画出了 {points} 行。",
    "residuals note": "模型若没有系统误差，各处的点都应均匀分布在点线两侧。",
    "more numbers": "{count} 个目标中画出前 {shown} 个。",
    # calibration
    "confidence": "置信度",
    "reliability plot": "准确率与置信度",
    "before": "校准前（T = 1）",
    "after": "校准后（T = {temperature}）",
    "calibration note": (
        "网络有 {confidence} 的把握时，就应有同样比例的预测正确，即落在点线上。每个点代表同样多"
        "的验证行；在线下方表示过于自信，在上方表示不够自信。"
    ),
    "temperature note": (
        "得分除以温度 T = {temperature}，即让这 {rows} 行的交叉熵最小的温度；这不改变任何预测，"
        "只改变把握的大小。由于它是在这些行上拟合的，校准后的曲线会比在新数据上略好一些。"
    ),
    "no temperature": "概率保持原样（T = 1）：校准已关闭，或者校准没有好处。",
    "ece": "期望校准误差（ECE）",
    "log_loss alone": "对数损失（逐个网络）",
    "no calibration": "没有验证行，就无法得知概率是否可信；没有进行校准。",
    # which columns matter
    "importance note": (
        "随机打乱这一列后，损失平均上升多少：在 {rows} 行上打乱 {shuffles} 次，{loss}平均上升和"
        "{score}平均下降的量，± 为标准差。内容相同的列会分摊重要性。"
    ),
    "importance limit": (
        "{count} 列中只试验了影响最大的 {shown} 列：按输入的变化幅度乘以第一层的权重来衡量。"
    ),
    "importance image": "图像被切成小块（[像素行，像素列]），每块整体打乱。",
    "importance map": "每块的重要性",
    "column": "列",
    "patch": "小块",
    "loss rise": "{loss}上升",
    "absolute error": "绝对误差",
    "score drop": "{score}下降",
    "more columns": "其余 {count} 个",
    # hardest rows
    "hardest note": (
        "这些是损失最大的行。请逐一查看：出错的常常是表格，而不是模型。行号从 1 数起，不含"
        "表头{where}。"
    ),
    "in validation": "，指验证表中的行",
    "row": "行号",
    "p true": "p（真实）",
    "cells note": "只显示最重要的列，另有 {count} 列未显示。",
    "image": "图像",
    "missing cell": "缺失",
    # columns
    "kind": "类型",
    "done": "处理方式",
    "missing": "缺失",
    "not listed": "另有 {count} 列未列出。",
    # again
    "again note": "用同一版本对同一张表运行同一命令，会得到同一个模型。",
    "again stdin": "数据来自标准输入，请再次给出同样的行。",
    "again python": "同样的设置，用 Python 写：",
}
