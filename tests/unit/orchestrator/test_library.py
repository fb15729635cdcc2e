"""Where runbooks are looked for."""

from pathlib import Path

import pytest

from orchestrator.library import SHORT_NAMES, Library, Origin, RunbookNotFoundError


def shelf(path: Path, *names: str) -> Path:
    for name in names:
        file = path / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"name: {name}\n")
    return path


def test_library_same_name_everywhere_takes_the_given_folder_first(tmp_path: Path) -> None:
    folder, home = shelf(tmp_path / "a", "check"), shelf(tmp_path / "b", "check", "mine")
    library = Library(folder, home)
    assert library.find("check").origin is Origin.FOLDER
    assert library.find("mine").origin is Origin.HOME
    assert Library(None, home).find("check").origin is Origin.HOME
    assert Library().find("check").origin is Origin.SHIPPED


def test_library_path_given_is_read_from_there(tmp_path: Path) -> None:
    path = shelf(tmp_path, "check") / "check.yaml"
    found = Library().find(str(path))
    assert (found.name, found.origin, found.file) == ("check", Origin.PATH, str(path))
    assert found.data == b"name: check\n"


def test_library_shipped_runbooks_all_load() -> None:
    """Each is named as its file is, so what is signed is what was asked for."""
    listed = Library().list()
    assert {found.name for found in listed} >= {"oms/check", "oms/restart", "oms/reonboard"}
    assert [found.load().name for found in listed] == [found.name for found in listed]


def test_library_short_name_leads_to_the_full_one() -> None:
    for short, full in SHORT_NAMES.items():
        found = Library().find(short)
        assert (found.name, found.file) == (full, f"runbooks/{full}.yaml")
    shorts = {found.name: found.short for found in Library().list() if found.short}
    assert shorts == {full: short for short, full in SHORT_NAMES.items()}


def test_library_own_runbook_outranks_a_short_name(tmp_path: Path) -> None:
    """The short name is then the own one's; the full name still leads to the shipped one."""
    library = Library(None, shelf(tmp_path, "check"))
    assert (library.find("check").name, library.find("check").origin) == ("check", Origin.HOME)
    assert library.find("oms/check").origin is Origin.SHIPPED
    shorts = {found.name: found.short for found in library.list()}
    assert (shorts["oms/check"], shorts["oms/restart"]) == ("", "restart")


def test_library_own_version_of_a_shipped_runbook_has_its_short_name_too(tmp_path: Path) -> None:
    library = Library(None, shelf(tmp_path, "oms/check"))
    found = library.find("check")
    assert (found.name, found.origin) == ("oms/check", Origin.HOME)


def test_library_name_in_a_subfolder_is_found_and_listed(tmp_path: Path) -> None:
    home = shelf(tmp_path, "oms/extra")
    library = Library(None, home)
    assert library.find("oms/extra").origin is Origin.HOME
    assert "oms/extra" in [found.name for found in library.list()]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("chek", "did you mean 'check'"),
        ("Check", "neither a runbook's name nor a path"),
        ("a/../../etc/passwd", "neither a runbook's name nor a path"),
        ("./absent.yaml", "No such file"),
    ],
)
def test_library_not_found_says_what_to_do(wanted: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(RunbookNotFoundError, match=message):
        Library(None, tmp_path / "absent").find(wanted)


def test_library_directory_given_as_path_says_so(tmp_path: Path) -> None:
    with pytest.raises(RunbookNotFoundError, match="Is a directory"):
        Library().find(str(tmp_path))
