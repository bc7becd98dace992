"""In which language the commands speak: --language, the locale, and what can be written."""

import json
import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltaprop.cli.language import wanted_by

CHINESE = {"LANG": "zh_CN.UTF-8"}


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN"}, "zh"),
        ({"LANG": "zh_CN.GBK"}, "zh"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "de_DE.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "C.UTF-8", "LANGUAGE": "zh_CN"}, "en"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh_CN:en"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "en"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "de:fr"}, "zh"),
        ({"LANGUAGE": "zh_CN"}, "zh"),
        ({"LANG": "", "LC_ALL": ""}, "en"),
    ],
)
def test_the_environment_names_the_language(environment, language):
    assert wanted_by(environment) == language


@given(st.dictionaries(st.sampled_from(["LANG", "LC_ALL", "LC_MESSAGES", "LANGUAGE"]), st.text()))
def test_any_environment_names_a_language(environment):
    assert wanted_by(environment) in ("en", "zh")


@pytest.fixture
def chinese(monkeypatch):
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["explain", "no-such.yaml"], "不存在；应为"),
        (["explain", "tutorial", "--digits", "99"], "--digits 是 99；应在 1 到 17 之间。"),
        (["explain", "tutorial", "--nonsense"], "没有选项 --nonsense"),
        (["explain"], "缺少参数 SOURCE。用法见：deltaprop explain --help"),
        (["practice", "--level", "99"], "level 是 99；应在"),
        (["train", "no-such.csv", "--target", "a"], "没有文件 'no-such.csv'：应为 CSV"),
        (["nonsense"], "没有命令 'nonsense'"),
        (["mark"], "mark 要一个算例"),
    ],
)
def test_errors_are_in_the_language_of_the_environment(call, chinese, words, said):
    called = call(*words)
    assert called.status == 2
    assert called.err.startswith("deltaprop：")
    assert said in called.err
    assert called.out == ""


def test_an_option_comes_before_the_environment(call, chinese):
    called = call("explain", "tutorial", "--digits", "99", "--language", "en")
    assert called.err == "deltaprop: --digits is 99; it is from 1 to 17.\n"
    assert "梯度下降（gradient descent）" in call("explain", "tutorial").out
    assert "gradient descent" in call("explain", "tutorial", "--language=en").out


def test_an_option_stands_anywhere_and_has_two_values(call):
    for words in (["--language", "zh", "mark"], ["mark", "--language", "zh"]):
        assert "mark 要一个算例" in call(*words).err
    assert call("mark", "--language", "fr").err == (
        "deltaprop: No language is called 'fr'. Known: en, zh.\n"
    )
    assert call("--language").status == 2


def test_every_command_has_its_help_in_chinese(call, chinese):
    commands = ["train", "predict", "evaluate", "explain", "check", "mark", "practice", "new"]
    texts = [call("--help").out, *(call(command, "--help").out for command in commands)]
    for text in texts:
        assert text.startswith("用法：deltaprop")
        assert "\n选项：\n" in text
        assert "显示本帮助并退出。" in text
        lines = [line for line in text.splitlines() if "deltaprop" not in line]
        assert all("。" in line or not line.endswith(".") for line in lines), text
        assert "Options" not in text
    assert "  train     用表格训练模型，并报告它的好坏。" in texts[0]


def test_what_programs_read_is_the_same_in_every_language(call, chinese, monkeypatch, tmp_path):
    paper = tmp_path / "paper.json"
    paper.write_text(call("practice", "--level", "1", "--seed", "1", "--json").out, "utf-8")
    for words in (
        ["explain", "mazur", "--format", "json"],
        ["mark", "mazur", "--json"],
        ["check", "tutorial", "--json"],
        ["practice", "--level", "2", "--seed", "1", "--json"],
    ):
        monkeypatch.setenv("LANG", "zh_CN.UTF-8")
        here = call(*words)
        monkeypatch.setenv("LANG", "C.UTF-8")
        assert call(*words) == here


def test_a_single_paper_is_marked_in_chinese(call):
    called = call("mark", "mazur", "--language", "zh")
    assert called.status == 1
    assert called.out.startswith("Matt Mazur 的例子")
    assert "19 个数：18 个正确，1 个错误" in called.out
    assert "到 W.2.after 为止都正确。请先看 loss.after。" in called.out
    assert "错误：updated_weights" in called.out
    assert "递推用了下一层已经更新过的 W。" in called.out.replace("\n    ", "")


def said(words, environment, **how):
    """Run the program by itself, as a terminal of such an environment would."""
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "PYTHONPATH") if key in os.environ}
    command = [sys.executable, "-m", "deltaprop", *words]
    return subprocess.run(
        command, env={**kept, **environment}, capture_output=True, check=False, **how
    )


def test_a_terminal_in_gbk_is_written_in_gbk():
    done = said(["mark"], {**CHINESE, "PYTHONIOENCODING": "gbk"})
    assert done.stderr.decode("gbk").startswith("deltaprop：mark 要一个算例")


@pytest.mark.rest
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_chinese_is_written_in_english(encoding):
    done = said(["mark"], {**CHINESE, "PYTHONIOENCODING": encoding})
    assert done.stderr.startswith(b"deltaprop: mark takes one worked example")
    done = said(["mark", "--language", "zh"], {"LANG": "C", "PYTHONIOENCODING": encoding})
    assert b"has no Chinese: messages are in English" in done.stderr


def test_training_is_told_in_chinese(call, chinese, tmp_path):
    table = tmp_path / "t.csv"
    rows = "\n".join(f"{i},{i * 7 % 11},{'是' if i % 3 else '否'}" for i in range(40))
    table.write_text(f"甲,乙,目标\n{rows}\n", encoding="utf-8")
    words = ["train", table, "--target", "目标", "--preset", "plain", "--epochs", "2"]
    called = call(*words)
    assert called.status == 0
    for line in (
        "数据        ",
        "预测        2 个类别",
        "网络        2 → ",
        "训练        ",
    ):
        assert line in called.err
    assert "行，2 轮，" in called.err
    assert "目标列为“目标”" in called.err
    assert "类型  处理方式" in called.err
    assert "验证        准确率 " in called.out
    assert json.loads(call(*words, "--json").out)["network"].startswith("2 -> ")


def test_the_process_itself_speaks_as_the_environment_says():
    done = said(["--language"], CHINESE)
    assert done.returncode == 2
    assert "选项 '--language' 要有值。" in done.stderr.decode("utf-8")


def test_what_a_terminal_in_gbk_has_no_characters_for_is_written_plainly():
    done = said(["explain", "tutorial"], {**CHINESE, "PYTHONIOENCODING": "gbk"})
    text = done.stdout.decode("gbk")
    assert "x1 = 1" in text
    assert "dE/dw5 = h1 × dE/dy = 1.25 × 1.05 = 1.3125" in text
    assert "√ 中心差分 1.3125，相对误差 0" in text
    assert "?" not in text
