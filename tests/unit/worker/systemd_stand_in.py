"""A program that answers as `systemctl` does, for a host that is a directory: none runs there."""

from pathlib import Path

from tests.unit.worker.children import script

_TOOL = r"""
unit() {{ eval "unit=\${{$#}}"; file={root}/units/$unit; }}
unit "$@"
case $1 in
show) if [ -e $file ]; then cat $file; else
    printf '%s\n' LoadState=not-found ActiveState=inactive SubState=dead
    printf '%s\n' UnitFileState= FragmentPath= MainPID=0
fi ;;
--no-ask-password)
    echo "$@" >> {root}/asked
    [ -e $file ] || {{ echo "Failed to $2 $unit: Unit $unit not found." >&2; exit 5; }}
    case $2 in stop) state=inactive ;; *) state=active ;; esac
    sed -i "s/^ActiveState=.*/ActiveState=$state/" $file ;;
esac
"""


def systemd(root: Path, place: str = "usr/bin/systemctl") -> Path:
    """Put the stand-in into a host; return where its units are."""
    units = root / "units"
    units.mkdir(exist_ok=True)
    script(root / place, _TOOL.format(root=root))
    return units


def unit(units: Path, name: str, **properties: object) -> None:
    """Install a unit, as `systemctl show` tells of it."""
    said: dict[str, object] = {
        "LoadState": "loaded",
        "ActiveState": "active",
        "SubState": "running",
        "UnitFileState": "enabled",
        "FragmentPath": f"/lib/systemd/system/{name}",
        "MainPID": 0,
        "NRestarts": 0,
        "ExecMainStartTimestamp": "",
        **properties,
    }
    (units / name).write_text("".join(f"{key}={value}\n" for key, value in said.items()))
