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
        "step begun after a cancel",
        "worker/host_run.py",
        "            if self._is_taken_back(place):\n",
        "            if False:\n",
        named_test(
            "unit/worker/test_cancel", "test_cancel_during_a_step_lets_it_end_and_begins_no_other"
        ),
    ),
    Mutant(
        "schedule's key may cancel",
        "worker/gate.py",
        "frozenset({Role.OPERATOR})",
        "frozenset({Role.OPERATOR, Role.SCHEDULER})",
        named_test("unit/worker/test_cancel", "test_cancel_by_the_schedules_key_stops_nothing"),
    ),
    Mutant(
        "lock let go while its command lives",
        "worker/keeper.py",
        "{life, tell, *spawn.locks,",
        "{life, tell,",
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
            "test_orders_that_share_a_lock_run_in_the_order_in_which_they_came",
        ),
    ),
    Mutant(
        "rescue begun before the failure is written down",
        "worker/rescue.py",
        "        self._write_down(failed)\n",
        "",
        named_test(
            "unit/worker/test_rescue",
            "test_rescue_cut_off_goes_on_and_the_step_itself_is_not_tried_again",
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
