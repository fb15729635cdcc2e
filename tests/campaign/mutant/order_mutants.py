"""Mutants of what came with cancels, locks and rescues."""

from tests.campaign.mutant.mutant import Mutant, named_test

ORDER_MUTANTS = (
    Mutant(
        "order taken although it was cancelled before",
        "worker/gate.py",
        "        if memory.cancelled_digest(order.run_id) is not None:\n",
        "        if False:\n",
        named_test(
            "unit/worker/test_gate_cancel",
            "test_order_with_a_tombstone_is_refused_even_when_it_has_expired",
        ),
    ),
    Mutant(
        "attempt begun after a cancel",
        "worker/runner.py",
        "            if self._is_cancelled() or self._setting.remaining <= 0:\n",
        "            if self._setting.remaining <= 0:\n",
        named_test("unit/worker/test_cancel", "test_cancel_ends_the_pause_before_another_attempt"),
    ),
    Mutant(
        "cancelled order told as never begun although it was accepted",
        "orchestrator/progress.py",
        "    if receipt.run_id != host_run.run_id or was_accepted:\n",
        "    if receipt.run_id != host_run.run_id:\n",
        named_test(
            "unit/orchestrator/test_progress",
            "test_host_run_accepted_is_not_cancelled_by_the_word_that_it_never_came",
        ),
    ),
    Mutant(
        "host's word on a cancel before it is written down",
        "worker/intake.py",
        "        state = self._ledger.cancel(tombstone, cancel.issued_at)\n",
        "        self._answers.receipt(cancel.run_id, cancel.order_sha256, _TOLD_AS[None])\n"
        "        state = self._ledger.cancel(tombstone, cancel.issued_at)\n",
        named_test(
            "unit/worker/test_cancel",
            "test_full_disk_keeps_a_cancel_in_the_inbox_and_says_nothing",
        ),
    ),
    Mutant(
        "schedule's key may cancel",
        "worker/gate.py",
        "self._authority.check_right(_operator(cancel, signers, alone=True), Right.CANCEL)",
        "_operator(cancel, signers, alone=True, may_schedule=True)",
        named_test("unit/worker/test_cancel", "test_cancel_by_the_schedules_key_stops_nothing"),
    ),
    Mutant(
        "lock let go while its command lives",
        "worker/keeper.py",
        "(*_one(lock), *spawn.locks)",
        "_one(lock)",
        named_test(
            "unit/worker/test_line",
            "test_lock_outlives_a_killed_executor_until_nothing_of_the_command_lives",
        ),
    ),
    Mutant(
        "order overtaken by one with the same lock",
        "worker/line.py",
        "                barred |= needs.resources\n",
        "                pass\n",
        named_test(
            "unit/worker/test_line",
            "test_order_whose_lock_is_busy_waits_and_those_of_others_go_ahead",
        ),
    ),
    Mutant(
        "rescue begun before the failure is written down",
        "worker/rescue.py",
        "        self._write_down(failed)\n",
        "",
        named_test(
            "unit/worker/test_rescue",
            "test_rescue_cut_off_of_a_step_that_only_looked_is_still_told",
        ),
    ),
    Mutant(
        "presence believed whatever it answers",
        "orchestrator/store/presences.py",
        "if a.of in asked and asked[a.of].nonce == a.to}",
        "if a.of in asked}",
        named_test(
            "integration/orchestrator/test_roll_call", "test_forged_words_change_nothing_at_all"
        ),
    ),
)
