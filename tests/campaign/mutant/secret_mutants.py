"""Mutants of what keeps secrets: redaction, the strongbox, the vault's client."""

from tests.campaign.mutant.mutant import Mutant, named_test

_REDACTION = (
    Mutant(
        "nothing of a stream is held back",
        "worker/redaction.py",
        "        return self._settle(len(self._held) - self._reach)\n",
        "        return self._settle(len(self._held))\n",
        named_test(
            "unit/worker/test_redaction",
            "test_secret_in_a_stream_is_taken_out_wherever_the_pieces_end",
        ),
    ),
    Mutant(
        "forms that overlap leave the end of one",
        "worker/redaction.py",
        "            masked = max(masked, end)\n",
        "            masked = end if begin >= masked else masked\n",
        named_test("unit/worker/test_redaction", "test_forms_that_overlap_are_masked_together"),
    ),
    Mutant(
        "output cut before its secrets are out",
        "worker/capture.py",
        "        self._stream = RedactedStream(forms)\n",
        "        self._stream = RedactedStream(())\n",
        named_test(
            "unit/worker/test_capture",
            "test_secret_at_the_cut_of_a_long_stream_leaves_no_piece",
        ),
    ),
    Mutant(
        "log lines of a run without a veil",
        "worker/executor.py",
        ", veiled(self._veil):\n",
        ":\n",
        named_test(
            "unit/worker/test_secrets",
            "test_secret_in_a_failure_of_our_own_is_in_neither_report_nor_log",
        ),
    ),
)

_KEEPING = (
    Mutant(
        "stored secret not bound to its name",
        "orchestrator/secret/strongbox.py",
        'b"denrei/v1/stored-secret", name.encode(),',
        'b"denrei/v1/stored-secret",',
        named_test(
            "integration/orchestrator/test_stored_secret",
            "test_stored_secret_altered_in_the_store_does_not_open",
        ),
    ),
    Mutant(
        "old key dropped before a secret is under the new one",
        "orchestrator/secret/strongbox.py",
        "        self._write([secrets.token_bytes(_KEY_BYTES), *self._keys()])\n",
        "        self._write([secrets.token_bytes(_KEY_BYTES)])\n",
        named_test(
            "integration/orchestrator/test_stored_secret",
            "test_rekey_cut_short_anywhere_leaves_every_secret_readable",
        ),
    ),
    Mutant(
        "old key kept after a rekey",
        "orchestrator/secret/stored.py",
        "            self._box.forget_keys({stored.key_id for stored in self._secrets.all()})\n",
        "",
        named_test(
            "integration/orchestrator/test_stored_secret",
            "test_rekey_cut_short_anywhere_leaves_every_secret_readable",
        ),
    ),
    Mutant(
        "secret set while the keys change",
        "orchestrator/secret/strongbox.py",
        "            fcntl.flock(descriptor, fcntl.LOCK_EX)\n",
        "",
        named_test(
            "integration/orchestrator/test_stored_secret",
            "test_secret_set_while_the_keys_change_is_not_lost",
        ),
    ),
    Mutant(
        "AppRole's token left behind",
        "orchestrator/secret/vault.py",
        "            session.log_out(token)\n",
        "            pass\n",
        named_test(
            "integration/vault/test_vault",
            "test_secret_is_read_as_an_app_role_whose_token_ends_at_once",
        ),
    ),
    Mutant(
        "vault's certificate not checked",
        "orchestrator/secret/exchange.py",
        "            context = ssl.create_default_context(cafile=self._ca)\n",
        "            context = ssl._create_unverified_context(cafile=self._ca)\n",
        named_test(
            "integration/vault/test_vault",
            "test_vault_that_can_not_be_used_is_told_with_what_to_set",
        ),
    ),
)

SECRET_MUTANTS = (*_REDACTION, *_KEEPING)
