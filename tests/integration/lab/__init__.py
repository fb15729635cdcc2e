"""The stand-ins, tried against the facts that are known of the real agent, section by section.

`test_section_N_…` has the facts of one section, each test named for its fact. Section 8 (the end of
the service, the Azure Monitor Agent) is `oms/migrate` and `oms/check` in `test_runbooks`.

Left out of the stand-ins, since no runbook can come to see it: owners and groups (a lab host
belongs to one user), a nil answer to a renewal, the growing delay and the retry limit of uploads,
`agent_maintenance_script.rb` called by hand, DSC beyond its two exit codes, service_control's
exit code 21, SCOM and LAD beyond their directories, cron, and the extension beyond its marks.
"""
