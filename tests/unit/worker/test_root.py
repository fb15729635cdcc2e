"""The root: what is under it stays under it, and names mean its owner."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.root import Root, UnknownNameError


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b c", "..."])).map("/".join))
def test_locate_any_path_never_escapes_the_root(path: str) -> None:
    """However many `..` a path holds, it stays below the prefix."""
    located = Root(Path("/srv/host")).locate("/" + path)
    assert located.is_relative_to("/srv/host")
    assert ".." not in located.parts


def test_locate_whole_machine_returns_the_path_itself() -> None:
    assert Root().locate("/etc/hosts") == Path("/etc/hosts")
    assert Root().is_whole


def test_strip_a_located_path_gives_the_orders_path_back(tmp_path: Path) -> None:
    root = Root(tmp_path)
    assert root.strip(str(root.locate("/etc/x"))) == "/etc/x"
    assert root.strip(str(root.locate("/"))) == "/"


def test_user_id_under_a_prefix_is_the_owner_of_the_root(tmp_path: Path) -> None:
    root = Root(tmp_path)
    assert root.user_id("omsagent") == root.user_id("root") == tmp_path.stat().st_uid
    assert root.group_id("omiusers") == tmp_path.stat().st_gid


def test_user_id_on_the_whole_machine_is_the_systems() -> None:
    assert Root().user_id("root") == Root().group_id("root") == 0
    assert Root().user_id("4242") == 4242
    assert Root().user_name(0) == "root"
    assert Root().user_name(4242424) == Root().group_name(4242424) == "4242424"


def test_user_id_of_an_unknown_name_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="no user named 'nobody-at-all'"):
        Root().user_id("nobody-at-all")
    with pytest.raises(UnknownNameError, match="no group named"):
        Root().group_id("nobody-at-all")


def test_resolve_under_a_prefix_asks_its_own_hosts_file_first(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/hosts").write_text("# lab\n127.0.0.9 one.lab.test Two.lab.test # both\n")
    root = Root(tmp_path)
    assert root.resolve("ONE.lab.test") == root.resolve("two.lab.test") == ["127.0.0.9"]
    assert "127.0.0.1" in root.resolve("127.0.0.1")
