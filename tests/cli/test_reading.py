"""How a file is read is found out, said, decided by options, and remembered with the model."""

import pytest

ROWS = [(f"{i}.5", "红绿蓝"[i % 3], ("NA", "ZA", "BW")[i % 3], "-" if i % 5 == 0 else str(i % 4))
        for i in range(60)]  # fmt: skip


def table(quoted=True):
    mark = '"' if quoted else ""
    lines = [f"{a},{b},{mark}{c}{mark},{d}" for a, b, c, d in ROWS]
    return "长度,颜色,country,n\n" + "\n".join(lines) + "\n"


def train(call, data, *options, target="country"):
    quick = ["--preset", "plain", "--epochs", "3", "--model", "m.safetensors"]
    return call("train", data, "--target", target, *quick, *options)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_file_in_gbk_is_learnt_and_rows_in_other_encodings_are_answered(here, call):
    (here / "t.csv").write_bytes(table().encode("gbk"))
    done = train(call, "t.csv", target="颜色")
    assert done.status == 0
    assert "t.csv is not UTF-8: read as GB18030" in done.err
    assert "红" in done.out + done.err
    answers = []
    for encoding in ("utf-8", "gbk", "utf-16", "utf-16-le"):
        (here / "new.csv").write_bytes(table().encode(encoding))
        answered = call("predict", "m.safetensors", "new.csv")
        assert answered.status == 0
        answers.append(answered.out)
    assert set(answers) == {answers[0]}
    for command in (["evaluate", "m.safetensors", "t.csv"],
                    ["explain", "m.safetensors", "--data", "t.csv"],
                    ["check", "m.safetensors", "--data", "t.csv"]):  # fmt: skip
        assert call(*command, "--encoding", "gbk").status == 0
        refused = call(*command, "--encoding", "euc_jp")
        assert refused.status == 2
        assert "EUC_JP" in refused.err or "no target column" in refused.err


def test_what_was_read_and_how_stands_in_the_report(here, call):
    (here / "t.csv").write_bytes(table(quoted=False).encode("gbk"))
    done = train(call, "t.csv", "--report", "r.html", target="颜色")
    assert done.status == 0
    page = (here / "r.html").read_text(encoding="utf-8")
    assert "read as GB18030" in page
    assert "which is read as missing; beside" in page  # NA, like ZA and BW
    assert "beside 'BW' and 'ZA' it may be a word" in " ".join(done.err.split())


def test_words_are_kept_by_quotes_or_by_the_option_and_the_model_remembers(here, call):
    (here / "bare.csv").write_text(table(quoted=False), encoding="utf-8")
    (here / "quoted.csv").write_text(table(), encoding="utf-8")
    refused = train(call, "bare.csv")
    assert refused.status == 2
    assert "'NA' stands in 20 of these rows" in refused.err
    assert "--missing ''" in refused.err
    for data, options in (("quoted.csv", []), ("bare.csv", ["--missing", ""])):
        done = train(call, data, *options)
        assert done.status == 0
        assert "3 classes (BW, NA, ZA)" in done.err
        for rows in ("bare.csv", "quoted.csv"):
            judged = call("evaluate", "m.safetensors", rows, "--json")
            assert judged.status == 0
            assert judged.json["rows"] == 60
    assert call("evaluate", "m.safetensors", "bare.csv", "--missing", "NA").status == 2


def test_words_of_ones_own_are_missing_in_training_and_prediction(here, call):
    text = table().replace("-\n", "none\n")
    (here / "t.csv").write_text(text, encoding="utf-8")
    done = train(call, "t.csv", "--missing", "none,'?'", "--json", target="颜色")
    assert done.status == 0
    columns = {column["column"]: column for column in done.json["columns"]}
    assert columns["n"]["kind"] == "numeric"
    assert columns["n"]["missing"] > 0
    assert call("predict", "m.safetensors", "t.csv").err == ""
    assert "none" in call("predict", "m.safetensors", "t.csv", "--missing", "").err


def test_an_open_quote_in_the_words_is_refused(here, call):
    (here / "t.csv").write_text(table(), encoding="utf-8")
    refused = train(call, "t.csv", "--missing", '"NA')
    assert refused.status == 2
    assert "write words like NA,-999" in refused.err
