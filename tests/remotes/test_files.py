"""Files of JSON lines: where they may be, what is read of them, and that no kill doubles a line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jobgate.remotes.endings import Busy, Refused
from jobgate.remotes.files import MAX_BATCH, MAX_LINE, Reader, Spot, Writer
from jobgate.remotes.folders import is_folder, is_name, name_file, open_folder

FILE = "statements_school.jsonl"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder `exports` of organisation 1."""
    path = tmp_path / "1" / "exports"
    path.mkdir(parents=True)
    return path


def enter(tmp_path: Path, name: str = "exports", *, makes: bool = False) -> int:
    """A descriptor of a folder of organisation 1."""
    return open_folder(str(tmp_path), 1, name, makes=makes)


def read_all(tmp_path: Path, max_lines: int = 1000) -> list[tuple[bytes | None, int, bool]]:
    """Every line, as batches give them."""
    reader = Reader.open(enter(tmp_path), FILE)
    assert reader is not None
    lines, spot, is_last = [], Spot(), False
    with reader:
        while not is_last:
            batch = reader.read(spot, max_lines)
            assert len(batch.lines) <= max_lines
            lines += [tuple(line) for line in batch.lines]
            spot, is_last = batch.spot, batch.is_last
    return lines  # type: ignore[return-value]  # the tuples of lines


# -- where ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a\0", "ä", "a b", "x" * 65, "a\n", "~", "$HOME", "a\\b"])
def test_what_is_no_name_is_refused(name: str) -> None:
    assert not is_name(name)


@pytest.mark.parametrize("name", ["a", "A-1_b.c", "...", ".hidden", "x" * 64])
def test_what_is_a_name_is_taken(name: str) -> None:
    assert is_name(name)
    assert is_folder(f"{name}/{name}")


@pytest.mark.parametrize("folder", ["", "/", "/etc", "a/../b", "../a", "a//b", "a/", "/".join("a" * 9)])
def test_what_is_no_folder_is_refused(tmp_path: Path, folder: str) -> None:
    assert not is_folder(folder)
    with pytest.raises(Refused):
        enter(tmp_path, folder, makes=True)
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_named_by_its_service_and_store() -> None:
    assert name_file("", "statements", "school") == "statements_school.jsonl"
    assert name_file("night", "agent-profiles", "a-b_c") == "night_agent_profiles_a-b_c.jsonl"


def test_a_missing_folder_is_made_for_a_writer_only(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="not there"):
        enter(tmp_path, "a/b")

    os.close(enter(tmp_path, "a/b", makes=True))

    assert (tmp_path / "1" / "a" / "b").is_dir()
    os.close(enter(tmp_path, "a/b"))


def test_organisations_do_not_share_folders(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(Refused):
        open_folder(str(tmp_path), 2, "exports")


@pytest.mark.parametrize("root", ["", "{tmp}/none", "{tmp}/file"])
def test_without_a_root_there_is_nothing(tmp_path: Path, root: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused):
        open_folder(root.format(tmp=tmp_path), 1, "exports", makes=True)


def test_links_are_not_followed(tmp_path: Path, folder: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / FILE).write_text("{}\n")
    (tmp_path / "1" / "link").symlink_to(outside)
    (folder / FILE).symlink_to(outside / FILE)

    with pytest.raises(Refused, match="link"):
        enter(tmp_path, "link", makes=True)
    with pytest.raises(Refused, match="link"):
        Reader.open(enter(tmp_path), FILE)
    with pytest.raises(Refused, match="link"):
        Writer.open(enter(tmp_path), FILE, None)
    assert (outside / FILE).read_text() == "{}\n"


def test_what_is_no_ordinary_file_is_refused(tmp_path: Path, folder: Path) -> None:
    os.mkfifo(folder / FILE)
    with pytest.raises(Refused, match="ordinary"):
        Reader.open(enter(tmp_path), FILE)
    with pytest.raises(Refused, match="ordinary"):
        Writer.open(enter(tmp_path), FILE, None)
    (folder / "dir").mkdir()
    with pytest.raises(Refused):
        Reader.open(enter(tmp_path), "dir")


def test_a_missing_file_is_none(tmp_path: Path, folder: Path) -> None:
    assert Reader.open(enter(tmp_path), FILE) is None


# -- reading -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("max_lines", [1, 2, 1000])
def test_lines_come_with_the_offset_behind_them(tmp_path: Path, folder: Path, max_lines: int) -> None:
    (folder / FILE).write_bytes(b'\xef\xbb\xbf{"a":1}\r\n\n  \n {"b":2}\t\n{"c":3}')

    assert read_all(tmp_path, max_lines) == [
        (b'{"a":1}', 12, True),
        (b'{"b":2}', 26, True),
        (b'{"c":3}', 33, False),
    ]


@pytest.mark.parametrize("size", [MAX_LINE, MAX_LINE + 1, 3 * MAX_BATCH, MAX_BATCH])
def test_a_line_that_is_too_long_is_one_bad_line(tmp_path: Path, folder: Path, size: int) -> None:
    (folder / FILE).write_bytes(b"1\n" + b"x" * size + b"\n2\n" + b"y" * size)

    lines = read_all(tmp_path)

    texts = [text if text is None or len(text) < 9 else len(text) for text, _, _ in lines]
    long = size if size <= MAX_LINE else None
    assert texts == [b"1", long, b"2", long]
    assert [end for _, end, _ in lines] == [2, size + 3, size + 5, 2 * size + 5]
    assert [is_whole for _, _, is_whole in lines] == [True, True, True, False]


def test_lines_may_lie_across_batches(tmp_path: Path, folder: Path) -> None:
    line = b'{"x": "' + b"y" * 1000 + b'"}\n'
    count = 2 * MAX_BATCH // len(line)
    (folder / FILE).write_bytes(line * count)

    lines = read_all(tmp_path, 10**6)

    assert len(lines) == count
    assert {text for text, _, _ in lines} == {line.strip()}


def test_an_empty_file_has_no_lines(tmp_path: Path, folder: Path) -> None:
    (folder / FILE).write_bytes(b"")
    assert read_all(tmp_path) == []


def test_a_file_is_known_by_what_stands_before_an_offset(tmp_path: Path, folder: Path) -> None:
    (folder / FILE).write_bytes(b"1\n2\n3\n")
    reader = Reader.open(enter(tmp_path), FILE)
    assert reader is not None
    mark = reader.mark(4)

    with (folder / FILE).open("ab") as file:
        file.write(b"4\n")
    assert reader.mark(4) == mark
    (folder / FILE).write_bytes(b"1\n9\n3\n4\n")
    assert reader.mark(4) != mark
    (folder / FILE).write_bytes(b"1\n")
    assert reader.mark(4) not in (mark, reader.mark(2))
    reader.close()


# -- writing -------------------------------------------------------------------------------------------------------


def test_what_did_not_count_is_cut_off_again(tmp_path: Path, folder: Path) -> None:
    with Writer.open(enter(tmp_path), FILE, None) as writer:
        committed = writer.append(b"1\n2\n")
        writer.append(b"3\n")
    with Writer.open(enter(tmp_path), FILE, committed) as writer:
        assert writer.append(b"3\n4\n") == 8

    assert (folder / FILE).read_bytes() == b"1\n2\n3\n4\n"


def test_a_file_that_became_shorter_is_not_filled_up(tmp_path: Path, folder: Path) -> None:
    (folder / FILE).write_bytes(b"1\n")
    with Writer.open(enter(tmp_path), FILE, 1000) as writer:
        assert writer.append(b"2\n") == 4

    assert (folder / FILE).read_bytes() == b"1\n2\n"


def test_what_others_wrote_is_kept_and_our_lines_begin_on_a_line_of_their_own(tmp_path: Path, folder: Path) -> None:
    (folder / FILE).write_bytes(b"theirs")
    with Writer.open(enter(tmp_path), FILE, None) as writer:
        writer.append(b"1\n")
        writer.append(b"2\n")

    assert (folder / FILE).read_bytes() == b"theirs\n1\n2\n"


def test_two_writers_do_not_share_a_file(tmp_path: Path, folder: Path) -> None:
    with Writer.open(enter(tmp_path), FILE, None):
        with pytest.raises(Busy) as busy:
            Writer.open(enter(tmp_path), FILE, 0)
        assert busy.value.wait_s == 5
    Writer.open(enter(tmp_path), FILE, 0).close()
