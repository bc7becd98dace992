"""In which encoding a text is written, when it is not UTF-8: the likeliest of all that people use.

Every candidate decodes the cells that are not ASCII; a model of its languages says how likely the
characters are that come out. Japanese read as Chinese gives characters nobody writes, German read
as Greek gives Greek letters amid Latin ones, and damaged UTF-8 is still mostly UTF-8.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from deltaprop.tabular.reading.frequent import HANGUL, KANA, KANJI, SIMPLIFIED, TRADITIONAL
from deltaprop.tabular.reading.units import is_currency, is_unit

__all__ = ["NAMES", "Guess", "cell_in_utf8", "guess_encoding", "share_of_frequent"]

_MOST_CELLS, _MOST_BYTES = 400, 4000
_SAMPLE = 1 << 20
_SPLIT = re.compile(rb'[,;\t"\n\r]+')
_NARROW = re.compile("(?<![\uff61-\uff9f])[\uff61-\uff9f](?![\uff61-\uff9f])")
_WORD = re.compile(
    r"[A-Za-z][À-ÿ][a-z]|[\u0370-\u03ff]{3}|[\u0400-\u045f]{3}|[\u05d0-\u05ea]{3}|"
    r"[\u0621-\u064a]{3}"
)
_ALONE = re.compile(r"(?<!\w)[^\W\d_a-zA-Z](?!\w)")
_BESIDE_A_NUMBER = re.compile(r"\d ?([^\W\d_a-zA-Z])(?!\w)|(?<!\w)([^\W\d_a-zA-Z]) ?\d")
_DIGITS = re.compile(rb"[0-9]+")
_AMOUNT = re.compile(r"[-+(]? ?(\D{0,4}?) ?[0-9][0-9.,']* ?(\D{0,8}?)\)?")
_ASCII, _BROKEN, _RARE = 1 / 40, 1e-6, 1e-7
_QUOTES = frozenset("’‘“”„«»")
_SYMBOLS = {
    **dict.fromkeys("‘„—…²³·«»º¼×§©®™•¿¡№‰", 0.002),
    **dict.fromkeys("°€£µ½±“”–", 0.01),
    "’": 0.04,
    "\ufffd": 1e-12,  # a code page of single bytes has no broken characters, only wrong ones
}

Weights = dict[str, float]


@dataclass(frozen=True, slots=True)
class Guess:
    """An encoding: the name people know it by, Python's, and the next likely one if it is close."""

    name: str
    codec: str
    rival: str = ""


def guess_encoding(content: bytes, at: int) -> Guess:
    """Return the likeliest encoding of a text whose byte ``at`` is the first that is not UTF-8.

    The answer is ``utf-8`` for a text that is UTF-8 but for some damage.
    """
    cells = _telling_cells(content, at)
    scores = {name: prior + _score(cells, name) for name, (_, prior) in _CODECS.items()}
    ranked = sorted(scores, key=scores.__getitem__, reverse=True)
    near = [name for name in ranked if scores[ranked[0]] - scores[name] < math.log(100)]
    best = next((name for name in near if _intact(content, name)), ranked[0])
    rivals = (name for name in near if name != best and _differ(cells, best, name))
    return Guess(best, _CODECS[best][0], next(rivals, ""))


def share_of_frequent(text: str) -> float:
    """Return which share of a text is ASCII, letters, or ideographs that are written often."""
    often = {*SIMPLIFIED, *TRADITIONAL, *KANJI}
    known = sum(
        1
        for c in text
        if c in often
        or " " <= c < "\u0700"
        or "\u3000" <= c <= "\u30fe"
        or "\uac00" <= c <= "\ud7a3"
        or "\uff01" <= c <= "\uff9f"
        or c in "\t\n\r"
    )
    return known / max(1, len(text))


def cell_in_utf8(content: bytes, at: int) -> bytes:
    """Return a cell that is UTF-8 beyond doubt, of a text that is not; empty when there is none.

    Only by chance do the bytes of another encoding give UTF-8, and then not words of one script.
    """
    often = {*SIMPLIFIED, *TRADITIONAL, *KANJI, *HANGUL, *KANA}
    for cell in _telling_cells(content, at):
        try:
            text = cell.decode("utf-8")
        except UnicodeDecodeError:
            continue
        ideographs = [c for c in text if c >= "\u0800"]
        if (len(ideographs) > 1 and often.issuperset(ideographs)) or _WORD.search(text):
            return cell
    return b""


def _telling_cells(content: bytes, at: int) -> list[bytes]:
    """Return different cells that are not ASCII, spread over the text when there are many."""
    start = content.rfind(b"\n", 0, at) + 1
    sample = content[: min(start, _SAMPLE)] + b"\n" + content[start : start + _SAMPLE]
    lines = [line for line in sample.split(b"\n") if not line.isascii()]
    cells: dict[bytes, bytes] = {}  # numbers with the same sign behind them tell it once
    size = 0
    for line in (*lines[:50], *lines[50 :: max(1, len(lines) // 2000)]):
        for cell in _SPLIT.split(line):
            if cell.isascii() or (form := _DIGITS.sub(b"0", cell)) in cells:
                continue
            cells[form] = cell[:400]
            size += len(cell)
        if len(cells) >= _MOST_CELLS or size > _MOST_BYTES:
            break
    return list(cells.values())


def _intact(content: bytes, name: str) -> bool:
    try:
        content.decode(_CODECS[name][0])
    except UnicodeDecodeError:
        return False
    return True


def _differ(cells: list[bytes], one: str, other: str) -> bool:
    first, second = _CODECS[one][0], _CODECS[other][0]
    return any(cell.decode(first, "replace") != cell.decode(second, "replace") for cell in cells)


def _score(cells: list[bytes], name: str) -> float:
    """Return the log-likelihood of the cells under the languages written in an encoding."""
    texts = [cell.decode(_CODECS[name][0], "replace") for cell in cells]
    units = math.log(50) * sum(map(_has_a_unit, texts))
    if name in _ALPHABETS:
        # Of several languages the first ones are written more.
        return units + max(
            sum(_of_letters(text, weights, latin) for text in texts) - 0.3 * rank
            for rank, (weights, latin) in enumerate(_languages(name))
        )
    weigh = _IDEOGRAPHS[name]
    total = units + sum(math.log(weigh(character)) for text in texts for character in text)
    # A narrow kana by itself is somebody else's letter or sign.
    return total + math.log(0.01) * sum(len(_NARROW.findall(text)) for text in texts)


def _has_a_unit(text: str) -> bool:
    """Tell whether a number has a currency or a known unit beside it that is not ASCII."""
    found = _AMOUNT.fullmatch(text)
    beside = [part for part in found.groups() if not part.isascii()] if found else []
    return any(
        is_currency(part) or (is_unit(part, apart=False) and part < "\u3000") for part in beside
    )


def _of_letters(text: str, weights: Weights, latin: bool) -> float:
    """Return the log-likelihood of letters; a word has one script, and its capitals come first."""
    total, before = 0.0, " "
    for letter in text:
        p = _ASCII if letter.isascii() else weights.get(letter, 0.0)
        if not p:
            p = _SYMBOLS.get(letter, _RARE)
            if not before.isascii() and letter not in _QUOTES:
                p *= 0.05
        if letter in "²³" and before == "m":
            p = 0.05
        if before.isalpha() and letter.isalpha():
            if not letter.isascii() or not before.isascii():
                alike = letter.isascii() == before.isascii()
                p *= (0.2 if alike else 1.0) if latin else (1.0 if alike else 0.01)
            if (
                before.islower()
                and letter.isupper()
                and not (letter.isascii() and before.isascii())
            ):
                p *= 0.02
            elif before.isupper() and letter.isupper() and not letter.isascii():
                p *= 4.0
        total += math.log(p)
        before = letter
    lone = _ALONE.findall(text) if latin else map("".join, _BESIDE_A_NUMBER.findall(text))
    alone = sum(1 for found in lone if found.isupper())
    return total + alone * math.log(0.05)


@cache
def _languages(name: str) -> list[tuple[Weights, bool]]:
    """Return, per language, how frequent its letters are, and whether most of them are ASCII."""
    found = []
    everybody = "".join(_ALPHABETS[name].split())
    foreign = dict.fromkeys(everybody + everybody.upper(), 2e-4)
    for letters in _ALPHABETS[name].split():
        latin = ord(letters[0]) < 0x370
        weights = _falling(letters, 0.12 if latin else 0.9, 1.5)
        begins = [a for a in weights if len(a.upper()) == 1 and a not in "ьъы"]
        capitals = {a.upper(): weights[a] * 0.2 for a in begins}
        found.append((foreign | capitals | weights, latin))
    return found


def _falling(characters: str, mass: float, offset: float) -> Weights:
    """Share a probability out by rank, as frequencies of characters fall."""
    parts = [1 / (rank + offset) for rank in range(len(characters))]
    whole = sum(parts)
    return {c: mass * part / whole for c, part in zip(characters, parts, strict=True)}


def _by_level(
    frequent: Weights, codec: str, levels: tuple[tuple[int, int, float], ...]
) -> Callable[[str], float]:
    """Return how likely a character is: a frequent one, or by the first byte of its code."""

    @cache
    def weigh(character: str) -> float:
        if character.isascii():
            return _ASCII if character.isprintable() else _RARE
        if character in frequent:
            return frequent[character]
        if character in "\u3000、。「」・（）／，：％－～" or "\uff10" <= character <= "\uff5a":
            return 1e-4
        if character == "\ufffd":
            return _BROKEN
        code = character.encode(codec, "replace")
        if codec != "cp950" and codec != "cp932" and code[-1] < 0xA1:
            return _RARE  # added later, for what is hardly ever written
        return next((p for low, high, p in levels if low <= code[0] <= high), _RARE)

    return weigh


def _of_utf8(character: str) -> float:
    if character.isascii():
        return _ASCII
    return _BROKEN if character == "\ufffd" else 3e-3 if character < "\u0800" else 1e-3


_CODECS: dict[str, tuple[str, float]] = {
    "UTF-8": ("utf-8", 0.0),
    "GB18030": ("gb18030", 2.0),
    "Windows-1252": ("cp1252", 0.0),
    "Big5": ("cp950", 1.0),
    "Shift-JIS": ("cp932", 0.0),
    "EUC-KR": ("cp949", -1.0),
    "Windows-1250": ("cp1250", -1.0),
    "Windows-1251": ("cp1251", -1.0),
    "Windows-1253": ("cp1253", -1.5),
    "Windows-1254": ("cp1254", -1.5),
    "Windows-1255": ("cp1255", -1.5),
    "Windows-1256": ("cp1256", -1.5),
    "Windows-1257": ("cp1257", -2.0),
    "Windows-1258": ("cp1258", -3.0),
    "EUC-JP": ("euc_jp", -3.0),
    "KOI8-R": ("koi8_r", -4.0),
    "ISO-8859-2": ("iso8859_2", -3.0),
    "CP866": ("cp866", -4.0),
    "CP850": ("cp850", -4.0),
    "Mac Roman": ("mac_roman", -4.0),
}
NAMES = tuple(_CODECS)
_WESTERN = (
    "éèàêçôùîâûœïë äüöß óíáéñúü ãéçáíêóúõàâô èàùòéìíú åäöéæø ðíáþóæöúéý éóàíèòçúïü éëïèóüáöçàíê"
)
_CENTRAL = "łężąóśćńź íáěžřéčšýůúňďťó ážčýíšéúťľôďňóäĺ éáöóőüíúű ășîțâşţ ščžćđ äüöß"
_RUSSIAN = "оеаитнсврлкдмпуяыьгбзчйжхшюцэщфёъ"
_ALPHABETS = {
    "Windows-1252": _WESTERN,
    "CP850": _WESTERN,
    "Mac Roman": _WESTERN,
    "Windows-1250": _CENTRAL,
    "ISO-8859-2": _CENTRAL,
    "Windows-1251": f"{_RUSSIAN} оаніивтерскудлмпзябьгйчцхжїюшщєфґ аоеитнсврдклмпзяъгбчущжйцхшфюь "
    "аоеинтсдрвкмлпугјзбшчцжќфњѓхџљѕђћ оаеинўтврсклудпмягзычбьцжшхійюёэф",
    "KOI8-R": _RUSSIAN,
    "CP866": _RUSSIAN,
    "Windows-1253": "ατοσιενρπκημυλίάόέγδωήχθύφώβξζψϊΐϋ",
    "Windows-1254": "ıüşçğöİâîû",
    "Windows-1255": "יוהלאתרבשמעםנדכחקפןסגזצטךףץ",
    "Windows-1256": "اليمنورتعبدةفهكسأقحجىصشذطخإضثزغءئظآؤ اریندهومبتسکشلزفخگعقجحپآچطصيضغظذثئكژأى",
    "Windows-1257": "ėųšžąįūčę āīēšūņļžķģč õäöü",
    "Windows-1258": "đưôáàêâơăúó\u0301\u0300\u0309\u0303\u0323éèíìýãõ",
}
_HAN_LEVELS = ((0xB0, 0xD7, 4e-5), (0xD8, 0xF7, 3e-6))
_BIG5_LEVELS = ((0xA4, 0xC6, 2.5e-5), (0xC9, 0xF9, 1.5e-6))
_JAPANESE_LEVELS = ((0x88, 0x97, 4e-5), (0x98, 0x9F, 3e-6), (0xE0, 0xEA, 2e-6))
_CHINESE = 0.85, 20
_JAPANESE = {
    **_falling(KANA, 0.5, 8),
    **_falling(KANJI, 0.35, 20),
    **dict.fromkeys(map(chr, range(0xFF61, 0xFFA0)), 5e-3),
}
_IDEOGRAPHS: dict[str, Callable[[str], float]] = {
    "UTF-8": _of_utf8,
    "GB18030": _by_level(_falling(SIMPLIFIED, *_CHINESE), "gb18030", _HAN_LEVELS),
    "Big5": _by_level(_falling(TRADITIONAL, *_CHINESE), "cp950", _BIG5_LEVELS),
    "Shift-JIS": _by_level(_JAPANESE, "cp932", _JAPANESE_LEVELS),
    "EUC-JP": _by_level(_JAPANESE, "euc_jp", ((0xB0, 0xCF, 4e-5), (0xD0, 0xF4, 2e-6))),
    "EUC-KR": _by_level(_falling(HANGUL, 0.85, 20), "cp949", ((0xB0, 0xC8, 3e-5),)),
}
