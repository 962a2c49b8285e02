"""Read uploaded files: the text of a document, the duration of a recording."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, BinaryIO

from .optional_dependencies import require_extra

OFFICE = "application/vnd.openxmlformats-officedocument."
EBML = b"\x1a\x45\xdf\xa3"  # WebM and Matroska begin with it; tinytag reads neither
SPEECH = "[The emulator does not recognise speech. This recording lasts {seconds} seconds.]"
SPEECH_WITHOUT_DURATION = (
    "[The emulator does not recognise speech, and cannot tell how long this recording lasts.]"
)
PICTURE = "[The emulator does not describe pictures.]"
SURROGATE = re.compile("[\ud800-\udfff]")  # PDF and Office files can hold half of a pair, JSON cannot


class UnreadableFileError(Exception):
    """A file does not have its content type, or has no text."""


@dataclass(frozen=True, slots=True)
class FileContent:
    """The text of a file, and the duration of a recording."""

    text: str
    duration_seconds: int = 0


def read_file(file: BinaryIO, content_type: str) -> FileContent:
    """Read a file as its content type says; an `UnreadableFileError` says why it cannot be read."""
    essence = content_type.partition(";")[0].strip().lower()
    try:
        return _read(file, essence)
    except (UnreadableFileError, ImportError):
        raise
    except Exception as error:  # noqa: BLE001  (damaged files break the parsers in every way there is)
        raise UnreadableFileError(f"the file is not a readable {essence}: {type(error).__name__}") from None


def _read(file: BinaryIO, essence: str) -> FileContent:
    family = essence.partition("/")[0]
    if family in ("audio", "video"):
        return _read_recording(file)
    if family == "image":
        return FileContent(PICTURE)
    text = SURROGATE.sub("\N{REPLACEMENT CHARACTER}", _text_reader(essence)(file))
    if not text.strip():
        raise UnreadableFileError("the file has no text")
    return FileContent(text)


def _text_reader(essence: str) -> Callable[[BinaryIO], str]:
    if essence.startswith(f"{OFFICE}presentationml"):
        return _read_slides
    if essence.startswith(f"{OFFICE}spreadsheetml"):
        return _read_cells
    if essence.startswith(OFFICE) or essence == "application/msword":
        return _read_document
    return _read_pdf if essence == "application/pdf" else _read_text


def _read_text(file: BinaryIO) -> str:
    content = file.read()
    encoding = "utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    return content.decode(encoding)


def _read_pdf(file: BinaryIO) -> str:
    with require_extra():
        from pypdf import PdfReader
    return "\n".join(page.extract_text() for page in PdfReader(file).pages)


def _read_document(file: BinaryIO) -> str:
    with require_extra():
        import docx
    document = docx.Document(file)
    rows = [[cell.text for cell in row.cells] for table in document.tables for row in table.rows]
    return "\n".join([*(paragraph.text for paragraph in document.paragraphs), *map("\t".join, rows)])


def _read_slides(file: BinaryIO) -> str:
    with require_extra():
        import pptx
    shapes = (shape for slide in pptx.Presentation(file).slides for shape in slide.shapes)
    return "\n".join(str(getattr(shape, "text", "")) for shape in shapes if shape.has_text_frame)


def _read_cells(file: BinaryIO) -> str:
    with require_extra():
        openpyxl = import_module("openpyxl")  # it has no types
    book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    try:
        return "\n".join(line for sheet in book.worksheets for line in _rows(sheet))
    finally:
        book.close()


def _rows(sheet: Any) -> Iterator[str]:
    for row in sheet.iter_rows(values_only=True):
        cells = [str(cell) for cell in row if cell is not None]
        if cells:
            yield "\t".join(cells)


def _read_recording(file: BinaryIO) -> FileContent:
    with require_extra():
        from tinytag import TinyTag
    is_ebml = file.read(len(EBML)) == EBML
    file.seek(0)
    if is_ebml:
        return FileContent(SPEECH_WITHOUT_DURATION)
    duration = TinyTag.get(file_obj=file, tags=False).duration
    if not duration:
        raise UnreadableFileError("the recording has no sound")
    seconds = max(1, round(duration))
    return FileContent(SPEECH.format(seconds=seconds), seconds)
