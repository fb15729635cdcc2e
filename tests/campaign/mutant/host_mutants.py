"""Mutants of the host: gate, intake, ledger, steps and recovery.

Of power loss (`synchronous`, fsync) kill -9 knows nothing; its mutants belong to its own campaign.
"""

from tests.campaign.mutant.mutant import Mutant, crash_test, named_test

_TAKING = (
    Mutant(
        "receipt before the ledger's commit",
        "worker/intake.py",
        "        self._ledger.accept(entry, order.issued_at, order.expires_at)\n",
        "        self._answers.receipt(order.run_id, accepted.digest, HostRunState.DELIVERED)\n"
        "        self._ledger.accept(entry, order.issued_at, order.expires_at)\n",
        named_test(
            "unit/worker/test_intake", "test_unwritable_ledger_accepts_nothing_and_keeps_the_letter"
        ),
    ),
    Mutant(
        "letter removed before it is in the ledger",
        "worker/intake.py",
        "            if letter is not None:\n"
        "                self._deal_with(letter)\n"
        "            path.unlink(missing_ok=True)\n",
        "            path.unlink(missing_ok=True)\n"
        "            if letter is not None:\n"
        "                self._deal_with(letter)\n",
        named_test(
            "unit/worker/test_intake", "test_unwritable_ledger_accepts_nothing_and_keeps_the_letter"
        ),
    ),
    Mutant(
        "no check for a replay",
        "worker/gate.py",
        "        known = memory.digest_of(order.run_id)\n",
        "        known = None\n",
        named_test(
            "unit/worker/test_intake",
            "test_order_that_comes_again_is_taken_once_and_receipted_each_time",
        ),
    ),
    Mutant(
        "order for another host taken",
        "worker/gate.py",
        "        if message.host != ours.host:\n",
        "        if False:\n",
        named_test(
            "unit/worker/test_gate_attacks", "test_attack_is_refused_for_the_reason_that_names_it"
        ),
    ),
    Mutant(
        "acknowledgement believed whoever signed it",
        "worker/gate.py",
        "        if not is_duty(signers, Duty.RECORDER):\n",
        "        if False:\n",
        named_test(
            "unit/worker/test_intake", "test_acknowledgement_by_anybody_but_the_recorder_is_refused"
        ),
    ),
    Mutant(
        "expiry not asked again before an order begins",
        "worker/executor.py",
        "            self._gate.permit(accepted, now_ms())\n",
        "",
        named_test(
            "unit/worker/test_executor",
            "test_order_that_expires_while_it_waits_is_reported_expired_and_not_run",
        ),
    ),
    Mutant(
        "two executors at once",
        "worker/liveness.py",
        "        fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)\n",
        "        pass\n",
        named_test("integration/worker/test_run", "test_second_executor_is_refused_in_one_line"),
    ),
)

_LEDGER = (
    Mutant(
        "order taken again over the one that was done",
        "worker/ledger.py",
        '                "INSERT INTO orders (run_id,',
        '                "INSERT OR REPLACE INTO orders (run_id,',
        named_test("unit/worker/test_ledger", "test_accept_twice_is_refused_and_changes_nothing"),
    ),
    Mutant(
        "attempts counted from one again",
        "worker/ledger.py",
        "SET attempts = attempts + 1",
        "SET attempts = 1",
        named_test(
            "unit/worker/test_ledger", "test_steps_are_known_once_begun_with_their_attempts"
        ),
    ),
    Mutant(
        "floor never moves",
        "worker/ledger.py",
        "(issued_at - SKEW_MS,))\n\n    def state_of",
        "(0,))\n\n    def state_of",
        named_test(
            "unit/worker/test_ledger",
            "test_floor_is_the_newest_signed_time_less_the_skew_and_never_sinks",
        ),
    ),
    Mutant(
        "order pruned while its report waits",
        "worker/ledger.py",
        " (SELECT run_id FROM outbox WHERE NOT acknowledged)",
        " (SELECT NULL WHERE FALSE)",
        named_test(
            "unit/worker/test_ledger",
            "test_prune_forgets_only_what_the_floor_refuses_and_nobody_waits_for",
        ),
    ),
    Mutant(
        "outbox outside the transaction",
        "worker/ledger.py",
        '            db.execute("INSERT INTO outbox',
        '        with self._transaction() as db:\n            db.execute("INSERT INTO outbox',
        crash_test("executor.ledger.end:before_counter"),
    ),
    Mutant(
        "report forgotten once it was put out",
        "worker/closing.py",
        "        if not self._answers.post_report(letter):\n",
        "        posted = self._answers.post_report(letter)\n"
        "        self._ledger.acknowledge(letter_digest(letter))\n"
        "        if not posted:\n",
        named_test(
            "unit/worker/test_executor",
            "test_report_stays_until_acknowledged_even_if_its_file_is_lost",
        ),
    ),
    Mutant(
        "acknowledged file left behind after a crash",
        "worker/intake.py",
        "            self._ledger.acknowledge(digest)\n",
        "            if not self._ledger.acknowledge(digest):\n                continue\n",
        crash_test("executor.ledger.acknowledge:after_commit"),
    ),
)

_STEP = (
    Mutant(
        "no started state",
        "worker/runner.py",
        "        self._tools.ledger.begin_step(self._place, now_ms())\n",
        "",
        crash_test("executor.command:ended"),
    ),
    Mutant(
        "effect before journal",
        "worker/runner.py",
        "        self._tools.ledger.begin_step(self._place, now_ms())\n"
        "        self._attempts += 1\n"
        "        result = ACTIONS[kind](arguments, self._context())\n",
        "        result = ACTIONS[kind](arguments, self._context())\n"
        "        self._tools.ledger.begin_step(self._place, now_ms())\n"
        "        self._attempts += 1\n",
        crash_test("executor.second.keeper:entrusted", "executor.command:ended"),
    ),
    Mutant(
        "step that may not rerun is rerun",
        "worker/runner.py",
        "        if self._step.on_interrupt is OnInterrupt.UNKNOWN:\n",
        "        if False:\n",
        named_test(
            "unit/worker/test_recovery", "test_kill_during_a_command_that_may_not_rerun_is_unknown"
        ),
    ),
    Mutant(
        "interrupted step rerun without a look",
        "worker/runner.py",
        "        if self._holds_within(self._step.within):\n"
        '            return _Verdict(StepOutcome.CHANGED, "proved after interruption")\n',
        "",
        named_test(
            "unit/worker/test_recovery",
            "test_kill_after_the_effect_is_proved_by_the_state_and_not_repeated",
        ),
    ),
    Mutant(
        "check mode acts",
        "worker/runner.py",
        "        if self._setting.check:\n",
        "        if False:\n",
        named_test("unit/worker/test_runner", "test_step_in_each_situation_ends_as_the_rule_says"),
    ),
    Mutant(
        "exit code taken for success",
        "worker/runner.py",
        "            if self._holds_within(self._step.within):\n                return",
        "            if result.ok or self._holds_within(self._step.within):\n"
        "                return",
        named_test("unit/worker/test_runner", "test_step_in_each_situation_ends_as_the_rule_says"),
    ),
    Mutant(
        "not knowing taken for ok",
        "worker/runner.py",
        "            verdict = self._undecided(error)\n",
        "            verdict = _Verdict(StepOutcome.OK, str(error))\n",
        named_test(
            "unit/worker/test_view",
            "test_observation_that_can_not_be_made_is_unknown_and_nothing_is_done",
        ),
    ),
    Mutant(
        "CEL's errors taken for true",
        "contract/expression.py",
        "        result = self.value(values)\n",
        "        result = bool(self._compiled.eval(data=dict(values)))\n",
        named_test(
            "unit/contract/test_expression",
            "test_expression_with_a_runtime_error_raises_instead_of_being_true",
        ),
    ),
    Mutant(
        "daemons outlive the step",
        "worker/warden.py",
        "    if leaves or watch.is_tree_gone():\n",
        "    if leaves or watch.status is not None:\n",
        named_test(
            "unit/worker/test_keeper_tree",
            "test_run_leftovers_of_a_normal_exit_are_ended_and_counted",
        ),
    ),
)

_RECOVERING = (
    Mutant(
        "secrets left on disk by recovery",
        "worker/recovery.py",
        "scrub(scrub_paths(arguments, tools.root))",
        "scrub([])",
        crash_test("executor.command:ended"),
    ),
    Mutant(
        "executors that died not counted",
        "worker/recovery.py",
        "        tools.ledger.interrupted(entry.run_id)\n",
        "",
        named_test("unit/worker/test_recovery", "test_recovery_counts_each_executor_that_died"),
    ),
    Mutant(
        "step that is done looked at again",
        "worker/runner.py",
        "        if self._begun and self._begun.report is not None:\n",
        "        if False:\n",
        named_test(
            "unit/worker/test_recovery",
            "test_kill_in_a_later_step_leaves_what_was_done_as_it_was_told",
        ),
    ),
    Mutant(
        "items found anew after a crash",
        "worker/host_run.py",
        "        if kept := self.kept_items():\n"
        "            return _Items(kept, self._tools.ledger.notes(self._order.run_id))\n",
        "",
        crash_test("executor.ledger.items:after_commit"),
    ),
    Mutant(
        "runbook's time begins anew after a crash",
        "worker/deadline.py",
        "        return entry.boot_time + timeout.total_seconds()\n",
        "        return boot_clock() + timeout.total_seconds()\n",
        named_test(
            "unit/worker/test_recovery",
            "test_recovery_in_the_same_boot_leaves_what_is_left_of_the_time",
        ),
    ),
    Mutant(
        "recovery waits for no keeper",
        "worker/recovery.py",
        "    if state is KeeperState.BUSY:\n",
        "    if False:\n",
        named_test(
            "unit/worker/test_recovery",
            "test_command_that_does_not_end_bars_a_new_executor_but_its_secret_goes",
        ),
    ),
    Mutant(
        "recovery sweeps nothing",
        "worker/recovery.py",
        "            sweep(marker, group)\n",
        "            pass\n",
        named_test(
            "unit/worker/test_recovery",
            "test_kill_of_keeper_and_executor_ends_what_the_command_left",
        ),
    ),
)

HOST_MUTANTS = (*_TAKING, *_LEDGER, *_STEP, *_RECOVERING)
