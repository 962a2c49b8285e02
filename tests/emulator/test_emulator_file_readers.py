import io
import struct
import sys
import wave
import zipfile

import docx
import pptx
import pytest
from pptx.util import Inches

from scripe.emulator import Emulator
from scripe.emulator._core.file_readers import UnreadableFileError, read_file
from tests.emulator.emulator_calls import Calls

OFFICE = "application/vnd.openxmlformats-officedocument."
WORD = f"{OFFICE}wordprocessingml.document"
SLIDES = f"{OFFICE}presentationml.presentation"
SHEETS = f"{OFFICE}spreadsheetml.sheet"


def recording(seconds: float) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8_000)
        sound.writeframes(struct.pack("<h", 0) * int(8_000 * seconds))
    return file.getvalue()


def document() -> bytes:
    file, written = io.BytesIO(), docx.Document()
    written.add_paragraph("Dear reader, ünïcode.")
    written.add_table(1, 2).rows[0].cells[1].text = "in a cell"
    written.save(file)
    return file.getvalue()


def slides() -> bytes:
    file, written = io.BytesIO(), pptx.Presentation()
    slide = written.slides.add_slide(written.slide_layouts[6])
    box = slide.shapes.add_textbox(Inches(1), Inches(1), Inches(1), Inches(1))
    box.text_frame.text = "On a slide"
    slide.shapes.add_table(1, 1, Inches(1), Inches(1), Inches(1), Inches(1))
    written.save(file)
    return file.getvalue()


def sheets() -> bytes:
    import importlib

    file, written = io.BytesIO(), importlib.import_module("openpyxl").Workbook()
    written.active.append(["Revenue", None, 12.5])
    written.active.append([None, None, None])
    written.create_sheet("Second").append(["second sheet"])
    written.save(file)
    return file.getvalue()


# A font's table that takes a tilde for the first half of an emoji.
HALF = b"1 begincodespacerange <00> <FF> endcodespacerange 1 beginbfchar <7E> <D83D> endbfchar"


def pdf(text: str) -> bytes:
    stream = f"BT /F1 24 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /ToUnicode 6 0 R >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(HALF), HALF),
    ]
    file, offsets = b"%PDF-1.4\n", list[int]()
    for number, body in enumerate(objects, 1):
        offsets.append(len(file))
        file += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return (
        file
        + b"xref\n0 7\n0000000000 65535 f \n%strailer << /Size 7 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF"
        % (
            table,
            len(file),
        )
    )


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("Grüße".encode(), "text/plain", "Grüße"),
        ("\ufeffGrüße".encode(), "text/plain; charset=utf-8", "Grüße"),
        ("Grüße".encode("utf-16"), "text/plain", "Grüße"),
        (pdf("Hello from a page"), "application/pdf", "Hello from a page"),
        (pdf("Half of it ~"), "application/pdf", "Half of it \N{REPLACEMENT CHARACTER}"),
        (document(), WORD, "Dear reader, ünïcode.\n\tin a cell"),
        (document(), "application/msword", "Dear reader, ünïcode.\n\tin a cell"),
        (slides(), SLIDES, "On a slide"),
        (sheets(), SHEETS, "Revenue\t12.5\nsecond sheet"),
    ],
    ids=["utf-8", "utf-8 with a mark", "utf-16", "PDF", "half a PDF", "Word", "old Word", "slides", "sheets"],
)
def test_documents_give_their_text(api: Calls, body: bytes, content_type: str, text: str) -> None:
    source = api.read_back(body, content_type, name="file")
    assert source["status"] == "Done"
    assert source["textPreview"] == text
    assert source["hasFullText"]
    assert source["fileType"] == content_type
    assert source["durationSeconds"] == 0
    assert source["name"] == "file"


@pytest.mark.parametrize(("seconds", "expected"), [(0.2, 1), (3.0, 3), (61.4, 61)])
def test_recordings_give_their_duration(api: Calls, seconds: float, expected: int) -> None:
    source = api.read_back(recording(seconds), "audio/wav")
    assert (source["durationSeconds"], source["hasFullText"]) == (expected, True)
    assert "does not recognise speech" in source["textPreview"]
    assert source["name"].endswith(".wav")


def test_what_cannot_be_timed_or_described(api: Calls) -> None:
    source = api.read_back(b"\x1a\x45\xdf\xa3 and so on", "video/webm")
    assert source["durationSeconds"] == 0
    assert "cannot tell how long" in source["textPreview"]
    assert "does not describe pictures" in api.read_back(b"\x89PNG", "image/png")["textPreview"]


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        written.writestr("nothing.txt", "nothing")
    return file.getvalue()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        pytest.param(b"", "text/plain", id="an empty text"),
        pytest.param(b" \n", "text/plain", id="a blank text"),
        pytest.param(b"\xff\x00\x81", "text/plain", id="bytes that are not text"),
        pytest.param(b"no pdf", "application/pdf", id="bytes that are not a PDF"),
        pytest.param(pdf(""), "application/pdf", id="a PDF without text"),
        pytest.param(b"no word", WORD, id="bytes that are not an archive"),
        # Each has an id of its own: an archive holds the time, and pytest's workers would not agree on one made of it.
        pytest.param(archive(), WORD, id="an archive that is not a document"),
        pytest.param(archive(), SLIDES, id="an archive that is not a presentation"),
        pytest.param(archive(), SHEETS, id="an archive that is not a workbook"),
        pytest.param(b"no sound", "audio/mpeg", id="bytes that are not a recording"),
        pytest.param(b"", "audio/wav", id="an empty recording"),
        pytest.param(recording(0), "audio/wav", id="a recording without sound"),
    ],
)
def test_unreadable_files_fail_the_job(
    emulator: Emulator, api: Calls, body: bytes, content_type: str
) -> None:
    job = api.read_back(body, content_type)
    assert job["status"] == "FAILED"
    assert job["errorCode"] == "UNREADABLE_FILE"
    assert job["result"] is None
    assert job["errorMessage"].startswith("The upload cannot be read: the ")
    assert emulator.count("sources") == 0


def test_a_missing_extra_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    with pytest.raises(ImportError) as caught:
        read_file(io.BytesIO(b""), "application/pdf")
    assert (
        str(caught.value)
        == 'pypdf is not installed. Install scripe with the extra "emulator", which adds pypdf.'
    )
    with pytest.raises(UnreadableFileError):
        read_file(io.BytesIO(b""), "text/plain")


def test_a_missing_extra_fails_the_job_alone(api: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    job = api.read_back(pdf("Hello"), "application/pdf")
    assert (job["status"], job["errorCode"]) == ("FAILED", "UNREADABLE_FILE")
    assert "pypdf is not installed" in job["errorMessage"]
