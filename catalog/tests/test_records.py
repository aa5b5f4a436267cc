from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest

from catalog.errors import ImportFileUnreadable
from catalog.services.import_record import MAX_LINE
from catalog.services.records import read_records
from catalog.tests.conftest import WriteLines


def outcome(path: Path) -> list[tuple[int, object]]:
    return [(record.line, record.refusal or record.fields) for record in read_records(path)]


def test_json_lines_plain_and_gzipped_with_a_byte_order_mark(write_lines: WriteLines) -> None:
    rows = [b'\xef\xbb\xbf{"a": "\xc3\xa4"}\n', b"\n", {"b": 2}]
    for name in ("rows.jsonl", "rows.jsonl.gz"):
        assert outcome(write_lines(rows, name)) == [(1, {"a": "ä"}), (3, {"b": 2})]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{\n", "ot valid JSON"),
        (b"[1]\n", "must be a JSON object"),
        (b'{"a": "\xff"}\n', "not UTF-8"),
        (b'{"a": "\x00"}\n', "NUL"),
        (b'{"a": "\\u0000"}\n', "NUL"),
        (b'{"a": "\\ud800"}\n', "surrogate"),
        (b"[" * 10_000 + b"\n", "ot valid JSON"),
        (b'{"a": ' + b"1" * 5_000 + b"}\n", "too many digits"),
        (b'{"a": "' + b"x" * MAX_LINE + b'"}\n', "longer than"),
    ],
)
def test_a_broken_line_is_refused_alone(write_lines: WriteLines, line: bytes, reason: str) -> None:
    found = outcome(write_lines([line, b"\n", {"good": True}]))
    assert reason in str(found[0][1])
    assert found[-1][1] == {"good": True}


def test_escaped_text_that_only_looks_dangerous_passes(write_lines: WriteLines) -> None:
    assert outcome(write_lines([b'{"a": "\\ud83d\\ude00"}\n'])) == [(1, {"a": "😀"})]


def test_a_line_of_200_megabytes_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    file = tmp_path / "huge.jsonl.gz"
    with gzip.open(file, "wb", compresslevel=1) as out:
        out.write(b'{"a": "')
        for _ in range(200):
            out.write(b"x" * 1_000_000)
        out.write(b'"}\n{"good": true}\n')
    tracemalloc.start()
    found = outcome(file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [line for line, _ in found] == [1, 2]
    assert found[1][1] == {"good": True}
    assert peak < 20_000_000


def test_csv_with_quotes_and_line_ends_inside(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes(b'id,title\n1,"two\nlines, ""quoted"""\n2,\n\n3,a,b\n4,ok\n')
    assert outcome(file) == [
        (3, {"id": "1", "title": 'two\nlines, "quoted"'}),
        (4, {"id": "2", "title": ""}),
        (6, "The row has 3 fields, the header 2."),
        (7, {"id": "4", "title": "ok"}),
    ]


def written(tmp_path: Path, content: bytes, name: str = "rows.csv") -> Path:
    file = tmp_path / name
    file.write_bytes(content)
    return file


HEADER = b"source,source_id,title\n"


@pytest.mark.parametrize(
    "content",
    [
        HEADER + "a,1,Gr\u00fcn".encode(),
        b"\xef\xbb\xbf" + HEADER + "a,1,Gr\u00fcn\r\n".encode(),
        HEADER + "a,1,Gr\u00fcn\n".encode("cp1252"),
        (HEADER.decode() + "a,1,Gr\u00fcn\n").encode("utf-16"),
        (HEADER.decode() + "a,1,Gr\u00fcn\n").encode("utf-16-le"),
        HEADER.replace(b"\n", b"\r") + "a,1,Gr\u00fcn\r".encode(),
        HEADER.replace(b",", b";") + "a;1;Gr\u00fcn\n".encode(),
        HEADER.replace(b",", b"\t") + "a\t1\tGr\u00fcn\n".encode(),
        HEADER.replace(b",", b"|") + "a|1|Gr\u00fcn\n".encode(),
        b" Source , source_id ,Title\n" + "a,1,Gr\u00fcn\n".encode(),
        gzip.compress(HEADER + "a,1,Gr\u00fcn\n".encode()),
    ],
    ids=["UTF-8", "byte order mark", "Windows-1252", "UTF-16", "UTF-16 unmarked", "CR", "semicolons", "tabs", "bars", "spaces", "gzip"],
)
def test_a_table_is_read_however_it_is_written(tmp_path: Path, content: bytes) -> None:
    assert outcome(written(tmp_path, content, "rows.txt")) == [(2, {"source": "a", "source_id": "1", "title": "Gr\u00fcn"})]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "The file is empty."),
        (b" \n\n", "The file is empty."),
        (HEADER, "The file has no rows."),
        (b"<!doctype html><html>Sign in</html>", "Line 1, column 1: this is a web page"),
        (b"<?xml version='1.0'?><feed/>", "Line 1, column 1: of XML, only RSS 2.0 can be read."),
        (b'{"a": [{"b": 1}]} {"a": 2}', "Line 1: not valid JSON: more follows after its end."),
        (b"just some words\n", "Line 1: this is neither JSON nor a table"),
        (b"title,Title,x\n1,2,3\n", "Line 1: the column 'title' is there twice."),
        (b'[\n {"a": 1},\n {"a": }\n]', "Line 3: not valid JSON"),
        (b'[\n {"a": 1},\n {"a": 2}', "Line 3: not valid JSON: the file ends too early."),
        (b"<rss version='2.0'><!DOCTYPE x [<!ENTITY a 'b'>]><channel></rss>", "the file is broken or ends early"),
    ],
)
def test_a_file_that_holds_no_records_is_refused_with_its_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(ImportFileUnreadable) as refusal:
        outcome(written(tmp_path, content))
    assert reason in str(refusal.value.detail)


def test_a_quotation_mark_that_is_never_closed_is_told_with_its_line(tmp_path: Path) -> None:
    found = outcome(written(tmp_path, b'id,title\n1,"two\nlines"\n2,"open\n3,after\n'))
    assert found[0] == (3, {"id": "1", "title": "two\nlines"})
    assert (found[1][0], "row that begins in line 4 is never closed" in str(found[1][1])) == (5, True)


def test_a_line_in_another_encoding_among_utf8_is_refused_alone(tmp_path: Path) -> None:
    content = HEADER + "a,1,Gr\u00fcn\n".encode() + "a,2,Gr\u00fcn\n".encode("latin-1")
    assert outcome(written(tmp_path, content))[1] == (3, "Column 7: the line is not UTF-8.")


@pytest.mark.parametrize(
    "content",
    [
        b'[{"a": 1}, {"a": 2}]',
        b'[\n {\n "a": 1\n },\n {"a": 2}\n]\n',
        b'{\n"n": 2,\n"items": [{"a": 1}, {"a": 2}]\n}',
        b'{"a": 1}\r\n\r\n{"a": 2}',
    ],
    ids=["one line", "many lines", "a member", "lines"],
)
def test_json_is_read_however_it_is_laid_out(tmp_path: Path, content: bytes) -> None:
    assert [fields for _, fields in outcome(written(tmp_path, content, "rows.json"))] == [{"a": 1}, {"a": 2}]


def test_an_array_of_any_length_is_read_in_bounded_memory(tmp_path: Path) -> None:
    file = tmp_path / "rows.json.gz"
    with gzip.open(file, "wb", compresslevel=1) as out:
        out.write(b"[" + b",\n".join(b'{"a": "%s"}' % (b"x" * 10_000) for _ in range(5_000)) + b"]")
    tracemalloc.start()
    number = sum(1 for _ in read_records(file))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (number, peak < 10_000_000) == (5_000, True)


def test_a_cut_archive_is_told_after_what_could_be_read(write_lines: WriteLines) -> None:
    file = write_lines([{"a": str(number) * 50} for number in range(2_000)], "rows.jsonl.gz")
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(ImportFileUnreadable):
        outcome(file)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ImportFileUnreadable):
        outcome(tmp_path / "none.jsonl")


@pytest.mark.parametrize("before", [b"\n\r\n", b"\xef\xbb\xbf\n", b"sep=;\r\n", b"\xef\xbb\xbfSEP=;\n", b"  \nsep=;\n"])
def test_a_table_may_begin_with_empty_lines_and_with_the_delimiter_of_excel(tmp_path: Path, before: bytes) -> None:
    file = tmp_path / "rows.csv"
    file.write_bytes(before + b"a;b\n1;2,3\n")
    assert [fields for _, fields in outcome(file)] == [{"a": "1", "b": "2,3"}]


@pytest.mark.parametrize(
    "content",
    [
        "a,b\n1,2\n".encode("utf-32"),
        b"a,b" + b"x" * MAX_LINE + b"\n1,2\n",
        b"PK\x03\x04\x00,,,\n,,",
        b'"a,b"\n1,2\n',
        b'[{"a": ' + b"1" * 5_000 + b"}]",
        b'<?xml version="1.0" encoding="nope"?><rss><channel><item><title>a</title></item></channel></rss>',
    ],
    ids=["utf-32", "long header", "zip", "quoted", "digits", "encoding"],
)
def test_what_cannot_be_read_at_all_is_refused_with_a_reason(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "rows"
    file.write_bytes(content)
    with pytest.raises(ImportFileUnreadable, match="Line 1"):
        list(read_records(file))
