"""The text of a file in UTF-8, whatever encoding it is written in."""

from __future__ import annotations

import codecs

from deltaprop.errors import DataError, SettingError, nearest_name
from deltaprop.tabular.reading.encodings import (
    NAMES,
    cell_in_utf8,
    guess_encoding,
    share_of_frequent,
)

__all__ = ["check_encoding", "line_of", "to_utf8"]

_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_BOM = "\ufeff".encode()
# What goes by these names has more characters in practice; the first one that fits is taken.
_SUPERSETS = {
    "gb2312": ("gb18030",),
    "gbk": ("gb18030",),
    "big5": ("cp950", "big5hkscs"),
    "cp950": ("cp950", "big5hkscs"),
    "shift_jis": ("cp932", "shift_jis_2004"),
    "cp932": ("cp932", "shift_jis_2004"),
    "euc_kr": ("cp949",),
    "euc_jp": ("euc_jp", "euc_jis_2004"),
}
_SAMPLE = 1 << 15
_LEAST_ASCII = 0.05  # of the characters of a table in UTF-16: separators, digits, line ends
_CUT_OFF = ("unexpected end of data", "truncated data", "incomplete multibyte sequence")
_CHOICE = "--encoding (encoding= in Python)"


def check_encoding(encoding: str | None) -> str | None:
    """Return Python's name of an encoding; raise a `SettingError` for what is none."""
    if encoding is None:
        return None
    try:
        found = codecs.lookup(encoding).name
        b"".decode(found)
        "".encode(found)
    except (LookupError, ValueError, TypeError):
        near = nearest_name(str(encoding), NAMES)
        hint = f" Did you mean {near}?" if near else ""
        raise SettingError(
            f"encoding is {encoding!r}: expected the name of an encoding, such as "
            f"{', '.join(NAMES[:6])}.{hint} When it is left out, it is found from the text."
        ) from None
    return found


def to_utf8(content: bytes, name: str, encoding: str | None = None) -> tuple[bytes, str]:
    """Return a text in UTF-8, its lines ended by a single newline, and a note about the encoding.

    ``encoding``, from `check_encoding`, is that of a file without byte order mark; found out when
    None. What is no text, or no intact one, is refused; the `DataError` says on which line.
    """
    for mark, codec in _BOMS:
        if content.startswith(mark):
            return _decoded(content, codec, name, codec.upper()), ""
    if encoding is not None:
        return _decoded(content, encoding, name, encoding.upper()), ""
    wide = _utf16(content)
    if wide:
        note = f"{name} is read as UTF-16; it has no byte order mark."
        return _decoded(content, wide, name, "UTF-16"), note
    if b"\x1b" in content and b"\x1b$" in content:
        note = f"{name} is not UTF-8: read as ISO-2022-JP."
        return _decoded(content, "iso2022_jp_2", name, "ISO-2022-JP"), note
    _refuse_nul(content, name)
    content = _normal(content)
    if content.isascii():
        return content, ""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        return _guessed(content, name, error.start)
    return content, ""


def _guessed(content: bytes, name: str, at: int) -> tuple[bytes, str]:
    _refuse_binary(content, name)
    guess = guess_encoding(content, at)
    _refuse_mixture(content, name, guess.name, at)
    text = _decoded(content, guess.codec, name, guess.name)
    note = f"{name} is not UTF-8: read as {guess.name}."
    if guess.rival:
        return text, f"{note} It could be {guess.rival}, too; {_CHOICE} decides."
    return text, f"{note} {_CHOICE} names another."


def _refuse_mixture(content: bytes, name: str, shown: str, at: int) -> None:
    cell = b"" if shown == "UTF-8" else cell_in_utf8(content, at)
    if cell:
        raise DataError(
            f"{name} is written in two encodings: line {line_of(content, content.find(cell))} is "
            f"UTF-8 ({cell.decode()[:20]!r}), line {line_of(content, at)} is not (byte "
            f"0x{content[at]:02x}, as in {shown}). Expected one. Save its parts in UTF-8 and put "
            f"them together again, or say with {_CHOICE} what all of it is."
        )


def _normal(text: bytes) -> bytes:
    """End lines by a newline, and take away the byte order marks of files put together."""
    text = text.removeprefix(_BOM)
    if b"\r" in text:
        text = text.replace(b"\r\n", b"\n")
        # What is left are line ends of old Macintosh files, or strays inside a line.
        text = text.replace(b"\r", b" " if b"\n" in text else b"\n")
    return text if text.isascii() else text.replace(b"\n" + _BOM, b"\n")


def _decoded(content: bytes, codec: str, name: str, shown: str) -> bytes:
    """Return the text in UTF-8 by the first of several related encodings that fits."""
    failed: UnicodeError | None = None
    fits = _SUPERSETS.get(codec, (codec,))
    for one in fits:
        try:
            text = content.decode(one).encode("utf-8")
        except UnicodeError as error:
            failed = failed or error
        else:
            _refuse_nul(text, name)
            return _normal(text)
    raise _damage(content, fits[0], name, shown, failed)


def _damage(
    content: bytes, codec: str, name: str, shown: str, error: UnicodeError | None
) -> DataError:
    """Return an error that says which line of a text is broken."""
    if not isinstance(error, UnicodeDecodeError):
        return DataError(
            f"{name} cannot be read as {shown} ({error}): expected text of that encoding. Leave "
            f"{_CHOICE} out to have it found."
        )
    at = error.start
    before = content[:at].decode(codec, "replace")
    line = _normal(before.encode("utf-8", "replace")).count(b"\n") + 1
    near = (
        before[-20:].split("\n")[-1]
        + "\ufffd"
        + content[error.end : at + 40].decode(codec, "replace").split("\n")[0][:20]
    )
    where = f"{name} is {shown} text but for byte 0x{content[at]:02x} on line {line}"
    if error.reason in _CUT_OFF:
        return DataError(
            f"{where}, where it ends in the middle of a character (after {before[-20:]!r}): "
            "expected a complete file. Fetch or write it again; save the file again as UTF-8."
        )
    return DataError(
        f"{where} (near {near!r}): expected a text of one encoding. Correct that place, or say "
        f"with {_CHOICE} what the file is. To drop what is broken: iconv -c -f "
        f"{codec.replace('_', '-')} -t utf-8 {name} > clean.csv; save the file again as UTF-8."
    )


def _utf16(content: bytes) -> str:
    """Return ``utf-16-le`` or ``utf-16-be`` where every other byte of ASCII is a NUL."""
    if b"\x00" not in content:
        return ""
    sample = content[:_SAMPLE]
    for codec in ("utf-16-le", "utf-16-be"):
        text = sample.decode(codec, "replace")
        ascii_ = sum(1 for c in text if " " <= c < "\x7f" or c in "\t\n\r")
        if (
            ascii_ >= _LEAST_ASCII * len(text)
            and "\x00" not in text
            and share_of_frequent(text) > 0.5
        ):
            return codec
    return ""


def _refuse_nul(content: bytes, name: str) -> None:
    at = content.find(b"\x00")
    if at >= 0:
        raise DataError(
            f"{name} holds a NUL byte on line {line_of(content, at)} (byte {at}): expected text. "
            "It is a binary file, or damaged; save it as CSV in UTF-8."
        )


def _refuse_binary(content: bytes, name: str) -> None:
    sample = content[:4096]
    control = sum(1 for byte in sample if byte < 32 and byte not in b"\t\n\r\f\x1b")
    if control > len(sample) // 50:
        raise DataError(
            f"{name} is a binary file ({control} of its first {len(sample)} bytes are control "
            "characters): expected text such as CSV, or Parquet, IDX, .npy or .npz. Export the "
            "table in one of these formats."
        )


def line_of(content: bytes, at: int) -> int:
    """Return the number of the line in which a byte stands, from 1."""
    return content.count(b"\n", 0, at) + 1
