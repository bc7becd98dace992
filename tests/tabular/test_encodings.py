"""A table is the same table in whatever encoding it was saved; a damaged one is refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deltaprop.errors import DataError, SettingError
from deltaprop.tabular import load_dataset, load_features, load_frame
from deltaprop.tabular.reading.decoding import to_utf8

WORDS = {
    "gb18030": ["是/否", "男/女", "优/良/差", "红/蓝/绿", "已购买/未购买", "合格/不合格",
                "苹果/香蕉", "广东省/江苏省/浙江省", "良性/恶性", "本科/硕士/博士", "周一/周二",
                "东区/西区/朝阳区"],
    "big5": ["是/否", "男/女", "優/良/差", "紅/藍/綠", "臺北/高雄", "合格/不合格", "已購買/未購買",
             "好評/負評", "大學/碩士", "星期一/星期二", "新竹縣/臺中市"],
    "shift_jis": ["はい/いいえ", "赤/青/緑", "東京/大阪", "りんご/みかん", "男性/女性",
                  "購入/未購入", "北海道/青森県", "月曜日/火曜日", "春/夏/秋/冬",
                  "ﾄｳｷｮｳ/ｵｵｻｶ"],
    "euc_kr": ["예/아니오", "남/여", "서울/부산", "빨강/파랑", "합격/불합격", "월요일/화요일"],
    "cp1251": ["да/нет", "Москва/Казань", "мужской/женский", "красный/синий", "низкий/высокий"],
    "cp1252": ["Müller/Maier", "café/thé", "niño/niña", "São Paulo/Rio", "Montréal/Québec",
               "it’s/isn’t", "Åse/Øyvind", "groß/klein", "5 €/7 €",
               "10 µg/m³|5 µg/m³", "20 °C|30 °C", "£ 5|£ 7"],
    "cp1250": ["Łódź/Kraków", "žlutá/červená", "mężczyzna/kobieta", "Győr/Pécs", "modrá/zelená"],
    "cp1253": ["Αθήνα/Θεσσαλονίκη", "ναι/όχι", "άνδρας/γυναίκα"],
    "cp1254": ["İstanbul/İzmir", "erkek/kadın", "kırmızı/yeşil", "evet/hayır"],
    "cp1255": ["תל אביב/חיפה/ירושלים", "גבר/אישה"],
    "cp1256": ["نعم/لا", "القاهرة/دبي", "ذكر/أنثى"],
    "cp1257": ["Vilnius/Šiauliai/Panevėžys", "zaļš/sarkans/mēness"],
    "koi8_r": ["да/нет", "Москва/Казань"],
    "euc_jp": ["東京/大阪", "はい/いいえ", "男性/女性"],
    "iso2022_jp": ["東京/大阪", "はい/いいえ"],
}  # fmt: skip
SHORT = [(encoding, words) for encoding, all_words in WORDS.items() for words in all_words]


def split(words):
    return words.split("|" if "|" in words else "/")


def table(words, n=12, header="value,name"):
    cells = split(words)
    return header + "\n" + "".join(f"{i}.5,{cells[i % len(cells)]}\n" for i in range(n))


@pytest.mark.parametrize(("encoding", "words"), SHORT)
def test_a_short_table_with_few_words_is_read_in_its_encoding(tmp_path, encoding, words):
    (tmp_path / "t.csv").write_bytes(table(words).encode(encoding))
    found = load_features(tmp_path / "t.csv")
    assert found.features["name"].to_list()[: len(split(words))] == split(words)
    assert "t.csv is not UTF-8: read as " in found.notes[0]
    assert "--encoding" in found.notes[0] or encoding == "iso2022_jp"


HEADERS = {
    "gb18030": "长度,颜色,购买", "big5": "長度,顏色,購買", "shift_jis": "年齢,性別,購入",
    "euc_kr": "나이,성별,구매", "cp1251": "возраст,город,цвет", "cp1252": "Größe,Straße,Kategorie",
    "cp1250": "wiek,płeć,miasto", "cp1254": "yaş,Şehir,Ürün",
}  # fmt: skip


@pytest.mark.parametrize("encoding", HEADERS)
@pytest.mark.parametrize("n", [3, 400])
def test_names_that_are_the_only_words_are_read_in_their_encoding(tmp_path, encoding, n):
    header = HEADERS[encoding]
    text = header + "\n" + "".join(f"{i},{i % 7},{'ab'[i % 2]}\n" for i in range(n))
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    assert load_frame(tmp_path / "t.csv").columns == header.split(",")


def test_what_could_be_another_encoding_is_said(tmp_path):
    (tmp_path / "t.csv").write_bytes(table("Plzeň/Praha").encode("cp1250"))
    note = load_features(tmp_path / "t.csv").notes[0]
    assert "It could be Windows-1250, too; --encoding (encoding= in Python) decides" in note
    found = load_features(tmp_path / "t.csv", encoding="windows-1250")
    assert found.features["name"][0] == "Plzeň"
    assert not found.notes


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16", "utf-32", "utf-8-sig"])
@pytest.mark.parametrize("words", ["yes/no", "是/否", "一/丁", "Müller/Maier"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_utf_16_needs_no_mark(tmp_path, encoding, words, end):
    text = table(words)
    (tmp_path / "t.csv").write_bytes(text.replace("\n", end).encode(encoding))
    assert load_frame(tmp_path / "t.csv")["name"].to_list()[:2] == words.split("/")[:2]


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("gbk", "gbk"), ("GB2312", "gbk"), ("Shift-JIS", "cp932"), ("windows-1252", "cp1252"),
     ("latin-1", "latin-1"), ("Big5", "big5"), ("Mac Roman", "mac_roman"), ("utf-16", "utf-16"),
     ("utf-16-le", "utf-16-le"), ("UTF-8", "utf-8")],
)  # fmt: skip
def test_the_encoding_can_be_given(tmp_path, name, encoding):
    words = {"cp1252": "é/ü", "latin-1": "é/ü", "mac_roman": "é/ü"}.get(encoding, "東/西")
    if encoding == "utf-8":
        words = "é/東"
    (tmp_path / "t.csv").write_bytes(table(words).encode(encoding))
    data = load_dataset(tmp_path / "t.csv", "name", encoding=name)
    assert data.target[:2].tolist() == words.split("/")
    assert not data.notes


def test_an_encoding_that_does_not_fit_is_refused_with_the_line(tmp_path):
    (tmp_path / "t.csv").write_bytes(b"a,b\n1,x\n2,\x81\n")
    with pytest.raises(DataError, match=r"t\.csv is SHIFT_JIS text but for .* on line 3"):
        load_frame(tmp_path / "t.csv", encoding="shift_jis")


@pytest.mark.parametrize("name", ["gkb", "rot13", "base64", "", "a\0b", "é"])
def test_a_name_that_is_no_encoding_of_text_is_refused(tmp_path, name):
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SettingError, match=r"encoding is .*expected the name of an encoding"):
        load_frame(tmp_path / "t.csv", encoding=name)


@pytest.mark.parametrize("broken", [b"\xff", b"\xe9", b"\xc3", b"\xe4\xb8"])
@pytest.mark.parametrize("words", ["是/否/城市", "é/ü/ä", "да/нет"])
def test_one_broken_character_does_not_make_it_another_encoding(tmp_path, broken, words):
    lines = table(words, 600).encode().split(b"\n")
    lines[416] = lines[416][:5] + broken + lines[416][5:]
    (tmp_path / "t.csv").write_bytes(b"\n".join(lines))
    with pytest.raises(DataError) as caught:
        load_frame(tmp_path / "t.csv")
    for part in ("t.csv is UTF-8 text but for byte 0x", "line 417", "iconv -c"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("encoding", "words"),
    [
        ("utf-8", "東京/大阪"),
        ("gb18030", "红色/绿色"),
        ("cp932", "東京/大阪"),
        ("utf-16", "東京/大阪"),
    ],
)
def test_a_file_that_ends_inside_a_character_is_refused(tmp_path, encoding, words):
    (tmp_path / "t.csv").write_bytes(table(words, 40).encode(encoding).rstrip(b"\n\0")[:-1])
    with pytest.raises(DataError, match=r"line 41, where it ends in the middle of a character"):
        load_frame(tmp_path / "t.csv")


def test_a_last_byte_that_begins_no_character_is_not_called_an_end(tmp_path):
    (tmp_path / "t.csv").write_bytes(table("是/否", 40).encode() + b"1.5,\xff")
    with pytest.raises(DataError, match=r"0xff on line 42 \(near"):
        load_frame(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("first", "then", "encoding"),
    [("Müller", "Köln", "latin-1"), ("北京市", "上海", "gbk"), ("Москва", "Казань", "cp1251"),
     ("東京", "大阪", "cp932"), ("臺北", "高雄", "big5"), ("서울", "부산", "cp949")],
)  # fmt: skip
@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 40), (40, 1), (40, 40)])
def test_a_file_put_together_from_two_encodings_is_refused(tmp_path, first, then, encoding, n, m):
    parts = f"a,b\n{first},1\n".encode() * n + f"{then},2\n".encode(encoding) * m
    for content in (parts, b"a,b\n" + f"{then},2\n".encode(encoding) * m + parts):
        (tmp_path / "t.csv").write_bytes(content)
        with pytest.raises(DataError, match=r"two encodings: line|UTF-8 text but for byte"):
            load_frame(tmp_path / "t.csv")


def test_each_file_of_a_glob_has_its_own_encoding(tmp_path):
    for name, encoding in (("1", "utf-8"), ("2", "gbk"), ("3", "utf-16"), ("4", "utf-16-be")):
        text = f"长度,颜色\n{name}.5,红色\n2.5,绿色\n"
        (tmp_path / f"t{name}.csv").write_bytes(text.encode(encoding))
    found = load_features(tmp_path / "t*.csv")
    assert found.features["颜色"].to_list() == ["红色", "绿色"] * 4
    assert [note for note in found.notes if "t2.csv is not UTF-8: read as GB18030" in note]


def test_byte_order_marks_of_files_put_together_are_taken_away(tmp_path):
    one = "长度,颜色\r\n1.5,红\r\n2.5,绿\r\n".encode("utf-8-sig")
    (tmp_path / "t.csv").write_bytes(one + one)
    found = load_features(tmp_path / "t.csv")
    assert found.features["长度"].to_list() == [1.5, 2.5, 1.5, 2.5]
    assert "repeats its header" in found.notes[0]


@pytest.mark.parametrize("encoding", ["gbk", "utf-16", "utf-16-le"])
def test_places_are_right_after_the_decoding(tmp_path, encoding):
    text = "长度,颜色\r\n" + "1,红色\r\n" * 40 + "词,红色\r\n"
    (tmp_path / "t.csv").write_bytes(text.encode(encoding))
    assert "'词' in row 41" in load_features(tmp_path / "t.csv").warnings[0]
    (tmp_path / "t.csv").write_bytes((text + "1,2,3\r\n").encode(encoding))
    with pytest.raises(DataError, match="3 cells on line 43"):
        load_features(tmp_path / "t.csv")


@given(st.text(st.characters(codec="gb18030", exclude_categories=["C"]), min_size=1), st.booleans())
@settings(max_examples=100, deadline=None)
def test_an_encoding_that_was_given_is_believed(text, wide):
    codec = "utf-16-le" if wide else "gb18030"
    found, note = to_utf8(text.encode(codec), "t", codec)
    assert found.decode() == text.removeprefix("\ufeff").replace("\n\ufeff", "\n")
    assert note == ""


@given(st.binary(min_size=1, max_size=200))
@settings(max_examples=300, deadline=None)
def test_whatever_the_bytes_it_is_text_or_an_error(content):
    try:
        found, _ = to_utf8(content, "t")
    except DataError:
        return
    else:
        found.decode("utf-8")


@pytest.mark.slow
def test_tables_of_a_few_words_are_read_in_their_encoding():
    rng = np.random.default_rng(0)
    for encoding, words in SHORT:
        cells = split(words)
        for _ in range(30):
            chosen = rng.choice(cells, 6)
            text = "value,name\n" + "".join(f"{i},{w}\n" for i, w in enumerate([*cells, *chosen]))
            assert to_utf8(text.encode(encoding), "t")[0].decode() == text


SIGNS = {
    "790,54 €": "cp1252", "€ 790.54": "cp1252", "£79.54": "cp1252", "-3.5 °C": "cp1252",
    "12 µg/m³": "cp1252", "790,54 руб": "cp1251", "79 ₽": "utf-8", "12.5元/斤": "gb18030",
    "1,200円": "cp932", "1.200,00 zł": "cp1250", "35 ‰": "cp1252",
}  # fmt: skip


@pytest.mark.parametrize("n", [3, 400])
@pytest.mark.parametrize("cell", SIGNS)
def test_the_sign_behind_many_numbers_is_one_piece_of_evidence(cell, n, rng):
    """Four hundred euros in Windows-1252 were four hundred capital A of a Cyrillic code page."""

    def written(_):
        return "".join(str(rng.integers(1, 10)) if c.isdigit() else c for c in cell)

    text = "a;b\n" + "".join(f"x{i};{written(i)}\n" for i in range(n))
    decoded, _ = to_utf8(text.encode(SIGNS[cell]), "t.csv")
    assert decoded.decode() == text
