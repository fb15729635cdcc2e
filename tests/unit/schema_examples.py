"""Runbooks that the schema and the loader must agree on: one with everything, and bad ones."""

HEAD = "name: x\nobserve:\n  agent: {process: {pid_file: /run/agent.pid}}\n"
STEP = "steps:\n  - name: it runs\n    ensure: agent.running\n"

# Every line of the language at least once.
WHOLE = """\
name: team/whole
summary: Everything that the language has.
params:
  count: {type: integer, default: 3}
  deep: {type: boolean, default: true, summary: A switch.}
  wait: {type: duration, default: 1h30m}
  id: {type: uuid, default: ""}
  colour: {type: enum, values: [red, green], default: red}
  word: {pattern: "[a-z]+", default: word}
  token: {secret: true, default: ""}
lock: ["service:${params.word}", file:/etc/x]
timeout: 10m
for_each:
  item:
    glob: {path: /etc/x/*/, name: uuid, tell: scom|LAD}
    only: "${params.id}"
observe:
  certificate: {x509: {path: "${item.path}/a.crt", key: /a.key, unparsable: absent}}
  agent: {process: {pid_file: /run/x.pid, cmdline: /run/x.pid, unit: x.service, user: x}}
  text: {file: {path: /etc/x, match: ^A=(.*)}}
  found: {glob: {path: /etc/*, name: .*}}
  port: {tcp: {host: localhost, port: 8443, proxy_file: /etc/proxy, timeout: 3s}}
  served: {tls: {host: mail, port: 25, server_name: mail.x, starttls: smtp, timeout: 3s}}
  web: {http: {url: http://x/, method: HEAD, headers: {A: b}, ca_file: /c, match: x, timeout: 3s}}
  service: {unit: {name: x@1.service}}
  lines: {log: {path: /x.log, match: error, since: 10m}}
  later: {log: {path: /x.log, match: error, since: "2026-11-25T15:00:00Z"}}
  value: {json: {path: /x.json, pointer: /a~1b/0}}
  whole: {json: {path: /x.json, pointer: ""}}
  short: {command: [/bin/true, -v]}
  long: {command: {argv: [/bin/true], timeout: 3s}}
steps:
  - name: first
    when: params.deep
    ensure: agent.running
    do:
      command: [/bin/x, restart]
      files: [{path: /run/secret, content: "${params.token}", mode: "0600"}]
      scrub: [/run/left]
      leaves_daemon: true
      stdin: "${params.token}"
      env: {A: b}
      cwd: /tmp
    within: 10s
    timeout: 1m
    retry: {attempts: 3, delay: 5s}
    on_interrupt: rerun
    rescue:
      - name: another way
        when: params.deep
        ensure: agent.running
        do: {command: [/bin/x, start]}
        within: 10s
        timeout: 1m
        retry: {attempts: 3}
        on_interrupt: unknown
      - {name: the earlier state is back, ensure: text.exists, rolls_back: true}
  - name: second
    ensure: text.exists
    do:
      file.write: {path: /etc/x, content: c, mode: "0644", owner: root, group: root}
  - name: third
    ensure: "!found.exists"
    do: {file.remove: {path: /etc/x}}
  - name: fourth
    ensure: service.exists && service.active
    do: {unit: {name: x.service, verb: restart}}
  - name: fifth
    ensure: agent.running
    do: {signal: {signal: HUP, pid_file: /x, cmdline: x, unit: x.service, user: x, all: true}}
  - name: sixth
    ensure: port.open
    do: {wait: {duration: 5s}}
  - name: seventh
    ensure: true
report:
  running: agent.running
"""

BAD = {
    "no name": STEP,
    "no steps": "name: x\n",
    "empty steps": "name: x\nsteps: []\n",
    "name with capitals": HEAD.replace("name: x", "name: X") + STEP,
    "unknown key": HEAD + STEP + "handlers: []\n",
    "unknown step key": HEAD + STEP + "    notify: x\n",
    "step without ensure": HEAD + "steps:\n  - name: it runs\n",
    "duration without a unit": HEAD + "timeout: 30\n" + STEP,
    "duration of an unknown unit": HEAD + STEP + "    within: 3 days\n",
    "on_interrupt of another kind": HEAD + STEP + "    on_interrupt: retry\n",
    "retry without attempts": HEAD + STEP + "    retry: {delay: 3s}\n",
    "lock that is a number": HEAD + "lock: 3\n" + STEP,
    "lock of nothing": HEAD + "lock: []\n" + STEP,
    "lock without a name": HEAD + "lock: ''\n" + STEP,
    "rescue that is empty": HEAD + STEP + "    rescue: []\n",
    "rescue within rescue": (
        HEAD
        + STEP
        + "    rescue: [{name: r, ensure: run.check, rescue: [{name: s, ensure: true}]}]\n"
    ),
    "rescue's step without ensure": HEAD + STEP + "    rescue: [{name: r}]\n",
    "rolls_back outside of a rescue": HEAD + STEP + "    rolls_back: true\n",
    "rolls_back that is a text": (
        HEAD + STEP + "    rescue: [{name: r, ensure: run.check, rolls_back: maybe}]\n"
    ),
    "too many attempts": HEAD + STEP + "    retry: {attempts: 21}\n",
    "expression that is a number": "name: x\nsteps:\n  - {name: it, ensure: 3}\n",
    "unknown observation": "name: x\nobserve:\n  a: {proces: {pid_file: /x}}\n" + STEP,
    "two observations in one": HEAD + "  b: {file: {path: /x}, glob: {path: /x}}\n" + STEP,
    "unknown argument": HEAD + "  b: {file: {path: /x, follow: true}}\n" + STEP,
    "argument missing": HEAD + "  b: {file: {match: x}}\n" + STEP,
    "path that is relative": HEAD + "  b: {file: {path: etc/x}}\n" + STEP,
    "process without a way to find it": HEAD + "  b: {process: {user: x}}\n" + STEP,
    "port out of range": HEAD + "  b: {tcp: {host: x, port: 65536}}\n" + STEP,
    "unparsable of another kind": HEAD + "  b: {x509: {path: /x, unparsable: ok}}\n" + STEP,
    "starttls of another kind": HEAD + "  b: {tls: {host: x, starttls: pop3}}\n" + STEP,
    "url of another kind": HEAD + "  b: {http: {url: ftp://x/}}\n" + STEP,
    "method that sends": HEAD + "  b: {http: {url: http://x/, method: POST}}\n" + STEP,
    "units by pattern": HEAD + "  b: {unit: {name: x*}}\n" + STEP,
    "log since nobody knows": HEAD + "  b: {log: {path: /x, match: x, since: soon}}\n" + STEP,
    "pointer that is none": HEAD + "  b: {json: {path: /x, pointer: a}}\n" + STEP,
    "pointer with a stray tilde": HEAD + "  b: {json: {path: /x, pointer: /a~2}}\n" + STEP,
    "verb of another kind": HEAD + STEP + "    do: {unit: {name: x, verb: enable}}\n",
    "signal of another kind": HEAD + STEP + "    do: {signal: {signal: SIGHUP, unit: x}}\n",
    "signal to nobody": HEAD + STEP + "    do: {signal: {signal: HUP, user: x}}\n",
    "wait without a unit": HEAD + STEP + '    do: {wait: {duration: "5"}}\n',
    "reserved name": "name: x\nobserve:\n  run: {file: {path: /x}}\n" + STEP,
    "no action": HEAD + STEP + "    do: {}\n",
    "unknown action": HEAD + STEP + "    do: {service: {name: x}}\n",
    "two actions": HEAD + STEP + "    do: {command: [/bin/x], file.remove: {path: /x}}\n",
    "option of command beside another action": (
        HEAD + STEP + "    do: {file.remove: {path: /x}, cwd: /tmp}\n"
    ),
    "command that is a text": HEAD + STEP + "    do: {command: /bin/x restart}\n",
    "program that is relative": HEAD + STEP + "    do: {command: [x, restart]}\n",
    "program with dots": HEAD + STEP + "    do: {command: [/opt/x/../sh]}\n",
    "program out of a parameter": (
        "name: x\nparams: {p: {default: /x}}\nobserve: {agent: {file: {path: /x}}}\n"
        'steps: [{name: it, ensure: agent.exists, do: {command: ["${params.p}"]}}]\n'
    ),
    "argument that is a number": HEAD + STEP + "    do: {command: [/bin/sleep, 5]}\n",
    "mode that is no mode": (
        HEAD + STEP + '    do: {file.write: {path: /x, content: x, mode: "999"}}\n'
    ),
    "unknown parameter type": HEAD + "params: {p: {type: float}}\n" + STEP,
    "enum without values": HEAD + "params: {p: {type: enum}}\n" + STEP,
    "values without enum": HEAD + "params: {p: {values: [a]}}\n" + STEP,
    "secret of another type": HEAD + "params: {p: {type: integer, secret: true}}\n" + STEP,
    "secret with a default": HEAD + "params: {p: {secret: true, default: hunter22}}\n" + STEP,
    "default of another type": HEAD + "params: {p: {type: integer, default: many}}\n" + STEP,
    "default that is no duration": HEAD + "params: {p: {type: duration, default: soon}}\n" + STEP,
    "for_each over nothing": HEAD + "for_each: {}\n" + STEP,
    "for_each over two things": HEAD + "for_each: {a: {list: [x]}, b: {list: [y]}}\n" + STEP,
    "for_each of glob and list": (HEAD + "for_each: {a: {glob: {path: /x/*}, list: [x]}}\n" + STEP),
    "for_each of a relative glob": HEAD + "for_each: {a: {glob: {path: x/*}}}\n" + STEP,
}
