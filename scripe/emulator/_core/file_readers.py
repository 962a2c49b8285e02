"""What is in an uploaded file: the text of a document, the duration of a recording."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, BinaryIO

from .optional_dependencies import require_extra

OFFICE = "application/vnd.openxmlformats-officedocument."
EBML = b"\x1a\x45\xdf\xa3"
SPEECH = "[The emulator does not recognise speech. This recording lasts {seconds} seconds.]"
UNTIMED = "[The emulator does not recognise speech, and cannot tell how long this recording lasts.]"
HALF_CHARACTER = re.compile("[\ud800-\udfff]")  # of a pair: PDF and Office files can hold one, JSON cannot
PICTURE = "[The emulator does not describe pictures.]"


class UnreadableFileError(Exception):
    """A file is not what its content type says, or holds nothing to read."""


@dataclass(frozen=True, slots=True)
class FileContent:
    """What a file holds: its text, and its duration if it is a recording."""

    text: str
    duration_seconds: int = 0


def read(file: BinaryIO, content_type: str) -> FileContent:
    """Read a file as its content type says.

    Raises:
        UnreadableFileError: that cannot be done; the message says why.
        MissingExtraError: a package of the ``emulator`` extra is not installed.

    """
    essence = content_type.partition(";")[0].strip().lower()
    try:
        return _read(file, essence)
    except (UnreadableFileError, ImportError):
        raise
    except Exception as error:  # noqa: BLE001  (damaged files break the parsers in every way there is)
        raise UnreadableFileError(f"the file is no readable {essence}: {type(error).__name__}") from None


def _read(file: BinaryIO, essence: str) -> FileContent:
    family = essence.partition("/")[0]
    if family in ("audio", "video"):
        return _recording(file)
    if family == "image":
        return FileContent(PICTURE)
    text = HALF_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", _reader(essence)(file))
    if not text.strip():
        raise UnreadableFileError("the file holds no text")
    return FileContent(text)


def _reader(essence: str) -> Callable[[BinaryIO], str]:
    if essence.startswith(f"{OFFICE}presentationml"):
        return _slides
    if essence.startswith(f"{OFFICE}spreadsheetml"):
        return _cells
    if essence.startswith(OFFICE) or essence == "application/msword":
        return _document
    return _pages if essence == "application/pdf" else _plain


def _plain(file: BinaryIO) -> str:
    content = file.read()
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return content.decode(encoding)


def _pages(file: BinaryIO) -> str:
    with require_extra():
        from pypdf import PdfReader
    return "\n".join(page.extract_text() for page in PdfReader(file).pages)


def _document(file: BinaryIO) -> str:
    with require_extra():
        import docx
    document = docx.Document(file)
    rows = [[cell.text for cell in row.cells] for table in document.tables for row in table.rows]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *map("\t".join, rows)])


def _slides(file: BinaryIO) -> str:
    with require_extra():
        import pptx
    shapes = (shape for slide in pptx.Presentation(file).slides for shape in slide.shapes)
    return "\n".join(str(getattr(shape, "text", "")) for shape in shapes if shape.has_text_frame)


def _cells(file: BinaryIO) -> str:
    with require_extra():
        openpyxl = import_module("openpyxl")  # it has no types, so it is taken as it comes
    book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    try:
        return "\n".join(line for sheet in book.worksheets for line in _rows(sheet))
    finally:
        book.close()


def _rows(sheet: Any) -> Iterator[str]:
    for row in sheet.iter_rows(values_only=True):
        filled = [str(cell) for cell in row if cell is not None]
        if filled:
            yield "\t".join(filled)


def _recording(file: BinaryIO) -> FileContent:
    with require_extra():
        from tinytag import TinyTag
    if _begins_with(file, EBML):  # WebM and Matroska, which the reader of durations does not know
        return FileContent(UNTIMED)
    duration = TinyTag.get(file_obj=file, tags=False).duration
    if not duration:
        raise UnreadableFileError("the recording has no sound")
    seconds = max(1, round(duration))
    return FileContent(SPEECH.format(seconds=seconds), seconds)


def _begins_with(file: BinaryIO, magic: bytes) -> bool:
    found = file.read(len(magic))
    file.seek(0)
    return found == magic
