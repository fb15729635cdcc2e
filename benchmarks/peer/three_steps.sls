{% set here = pillar['base'] ~ '/' ~ grains['id'] %}
told:
  file.managed:
    - name: {{ here }}/told
    - contents: number={{ pillar['number'] }}
copy:
  file.copy:
    - name: {{ here }}/copy
    - source: {{ here }}/told
    - force: True
    - require: [{file: told}]
mark:
  cmd.run:
    - name: /usr/bin/touch mark-{{ pillar['number'] }}
    - cwd: {{ here }}
    - creates: {{ here }}/mark-{{ pillar['number'] }}
    - require: [{file: copy}]
