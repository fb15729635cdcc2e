"""A runbook in which every word of the language stands."""

WHOLE = """\
name: team/whole
summary: Everything that the language has.
params:
  count: {type: integer, default: 3}
  deep: {type: boolean, default: true, summary: A switch.}
  wait: {type: duration, default: 1h30m}
  moment: {type: timestamp, default: ""}
  id: {type: uuid, default: ""}
  colour: {type: enum, values: [red, green], default: red}
  word: {pattern: "[a-z]+", default: word}
  token: {secret: true, default: ""}
  test: {type: command, default: /bin/x -t}
profiles:
  quick: {count: 1, deep: false, wait: 1m, test: /bin/y}
lock: ["service:${params.word}", file:/etc/x]
timeout: 10m
risk: normal
unattended: true
for_each:
  item:
    glob: {path: /etc/x/*/, name: uuid, tell: scom|LAD}
    only: "${params.id}"
observe:
  certificate: {x509: {path: "${item.path}/a.crt", key: /a.key, unparsable: absent}}
  state:
    certificate_state:
      path: /a.crt
      key: /a.key
      names: [a.example]
      pid_file: /run/x.pid
      cmdline: /run/x.pid
      unit: x.service
      user: x
      made_here: false
      host: localhost
      port: 8443
      server_name: a.example
      starttls: smtp
      handshakes: 9
      expiring_within: 10d
      timeout: 3s
  certificates: {certificates: {paths: [/a.pem], timeout: 9s}}
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
  tried: {command: ["${params.test}", -q]}
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
      output: discard
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
  - name: copied
    ensure: text.exists
    do: {file.copy: {files: [{path: /etc/x, to: "/y/${params.word}"}], make_directory: true}}
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
  future: 'params.moment.given && params.moment > now ? "that is still to come" : ""'
tell: [future]
"""
