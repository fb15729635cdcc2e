"""Tools that give away the secret that they were given, and the runbooks that run them."""

import sys
from pathlib import Path

# What the tool prints, as expressions over the secret `s`.
FORMS = (
    "s",
    "s.encode().hex()",
    "s.encode().hex().upper()",
    "base64.b64encode(s.encode()).decode()",
    "base64.b64encode(b'user:' + s.encode()).decode()",
    "base64.urlsafe_b64encode(b'x' + s.encode()).decode()",
    "urllib.parse.quote(s, safe='')",
    "urllib.parse.quote_plus(s)",
    "json.dumps({'key': s})",
    "json.dumps({'key': s}, ensure_ascii=False)",
    "shlex.quote(s)",
    "repr(s)",
    "repr(s.encode())",
    "html.escape(s)",
)

_SING = """\
#!{python} -I
import base64, html, json, shlex, sys, urllib.parse
s = sys.stdin.read()
for form in ({forms}):
    print('told', form)
# The secret lies across both cuts of what is kept: 64 KiB at either end.
sys.stderr.write('e' * (65536 - 10) + s + 'm' * 200_000 + s + 'e' * (65536 - 10))
open('said', 'w').write('it is ' + s)
open('named-' + s.encode().hex(), 'w')
sys.exit(f'this is no good: {{s!r}}')
"""
_HUSH = """\
#!/bin/sh
read -r word
echo "$word" | tr a-z A-Z | rev
echo "$word" | gzip -c >&2
"""
_HEAD = """\
name: {name}
params:
  word: {{secret: true}}
observe:
  said: {{file: {{path: /said, match: ".*"}}}}
steps:
  - name: it was said
    ensure: said.exists && said.matched == "something else"
    within: 100ms
    do:
"""
_COMMAND = """\
      command: [/bin/{name}]
      stdin: "${{params.word}}\\n"
"""
RUNBOOKS = {
    "sing": _HEAD.format(name="sing")
    + _COMMAND.format(name="sing").replace("\\n", "")
    + "    retry: {attempts: 2, delay: 10ms}\n",
    "hush": "unattended: true\n"
    + _HEAD.format(name="hush")
    + _COMMAND.format(name="hush")
    + "      output: discard\n",
}


def install(root: Path, runbooks: Path) -> None:
    """Put the tools into a host's root directory, and the runbooks into a home."""
    (root / "bin").mkdir(exist_ok=True)
    forms = ", ".join(FORMS)
    tools = {"sing": _SING.format(python=sys.executable, forms=forms), "hush": _HUSH}
    for name, text in tools.items():
        path = root / "bin" / name
        path.write_text(text)
        path.chmod(0o755)
        (runbooks / f"{name}.yaml").write_text(RUNBOOKS[name])


def written(root: Path) -> list[Path]:
    """Return what the tools themselves wrote on the host."""
    return [root / "said", *root.glob("named-*")]
