"""Mutants of what carries and records: courier, dispatcher, recorder."""

from tests.campaign.mutant.mutant import Mutant, crash_test, named_test

WIRE_MUTANTS = (
    Mutant(
        "report's file gone before its acknowledgement",
        "worker/courier.py",
        "            if path.suffix == Care.ONCE:\n",
        "            if True:\n",
        crash_test("recorder.report:before_state"),
    ),
    Mutant(
        "receipt's file gone before it was sent",
        "worker/courier.py",
        "            self._publisher.publish(REPORTS_QUEUE, RECORD_TASK, letter)\n",
        "            path.unlink()\n"
        "            self._publisher.publish(REPORTS_QUEUE, RECORD_TASK, letter)\n",
        named_test(
            "integration/worker/test_courier", "test_outbox_keep_is_sent_and_stays_until_taken_away"
        ),
    ),
    Mutant(
        "drafts of the killed never removed",
        "worker/courier.py",
        "    inbox.remove_drafts()\n",
        "",
        crash_test("courier.inbox.put:before_rename"),
    ),
    Mutant(
        "order never published again",
        "orchestrator/store/outgoing.py",
        "    is_wanted = (columns.state == HostRunState.QUEUED.value) &",
        "    is_wanted = (columns.state == HostRunState.QUEUED.value) & (columns.publishes == 0) &",
        crash_test("dispatcher.reposted:before_commit"),
    ),
    Mutant(
        "publication noted before it happened",
        "orchestrator/dispatch.py",
        "            self._publisher.send([_post(letter) for letter in going])\n",
        "            early = [replace(each, publishes=each.publishes + 1) for each in going]\n"
        "            if len(early[0].key) == 2:\n"
        "                noted = [_next_order(letter) for letter in early]\n"
        "                self._store.outgoing.orders_posted(noted, now_ms())\n"
        "            self._publisher.send([_post(letter) for letter in going])\n",
        named_test(
            "integration/orchestrator/test_dispatch",
            "test_dispatcher_broker_dying_half_way_keeps_what_was_noted",
        ),
    ),
    Mutant(
        "acknowledged before the commit",
        "orchestrator/recording.py",
        "            return self._recorder.record(letters, following)\n",
        "            from contract.instant import now_ms\n"
        "            from contract.report import Report\n"
        "            from orchestrator.recorder import _arrived\n"
        "            now = now_ms()\n"
        "            acknowledge = self._recorder._acknowledge\n"
        "            early = [\n"
        "                Taken(repeated=False, acknowledgement=answer)\n"
        "                for letter, heard in zip(letters, self._recorder._hear(letters, ()))\n"
        "                if not heard.complaint and isinstance(heard.tells, Report)\n"
        "                for each in [_arrived(letter, heard, now)]\n"
        "                for answer in acknowledge([each], [now]).by_report.values()\n"
        "            ]\n"
        "            self._acknowledge(early)\n"
        "            return self._recorder.record(letters, following)\n",
        crash_test("recorder.report:before_state"),
    ),
    Mutant(
        "repeated report not acknowledged again",
        "orchestrator/store/incoming.py",
        "        again = _answered([each for each in judged if each.repeated], acknowledge)\n",
        "        again = None\n",
        crash_test("recorder.report:after_commit"),
    ),
    Mutant(
        "late receipt taken over a report",
        "orchestrator/progress.py",
        "receipt.state not in _ACCEPTED:\n"
        "        return host_run\n"
        "    if host_run.reported_at is not None:\n"
        "        return host_run\n",
        "receipt.state not in _ACCEPTED:\n        return host_run\n",
        named_test(
            "unit/orchestrator/test_progress", "test_host_run_reported_once_stays_as_reported"
        ),
    ),
    Mutant(
        "second report taken over the first",
        "orchestrator/progress.py",
        "report.state not in TERMINAL:\n"
        "        return host_run\n"
        "    if host_run.reported_at is not None:\n"
        "        return host_run\n",
        "report.state not in TERMINAL:\n        return host_run\n",
        named_test(
            "unit/orchestrator/test_progress",
            "test_host_run_report_of_unknown_stays_although_another_comes",
        ),
    ),
    Mutant(
        "silence taken for an end that is known",
        "orchestrator/store/outgoing.py",
        '"state": HostRunState.UNKNOWN.value, "ended_at": _NOW',
        '"state": HostRunState.FAILED.value, "ended_at": _NOW',
        named_test(
            "integration/orchestrator/test_recorder",
            "test_recorder_accepted_and_silent_becomes_unknown_until_the_report",
        ),
    ),
    Mutant(
        "older fact about a certificate taken over a newer one",
        "orchestrator/store/certificates.py",
        "if each[0] > known.get(key, -1)",
        "if each",
        named_test(
            "integration/orchestrator/test_certificates",
            "test_certificates_newer_word_counts_and_an_older_one_that_comes_late_does_not",
        ),
    ),
    Mutant(
        "late report brings back a certificate that a scan found gone",
        "orchestrator/store/certificates.py",
        "record.fact.scanned and record.observed_at < began_at",
        "False",
        named_test(
            "integration/orchestrator/test_certificates",
            "test_certificates_reports_in_any_order_end_alike",
        ),
    ),
    Mutant(
        "report complete although certificates were left out",
        "worker/sightings.py",
        "any(look.complete for look in looks) and not notes",
        "any(look.complete for look in looks)",
        named_test(
            "unit/worker/test_sightings",
            "test_sightings_that_are_too_many_say_so_and_keep_the_urgent",
        ),
    ),
)
