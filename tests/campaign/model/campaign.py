"""The model test as a campaign: so many worlds, each with its own history, held to the laws."""

from collections.abc import Iterator

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.reporting import with_reporter
from hypothesis.stateful import run_state_machine_as_test

from tests.campaign.campaign import Scale, Tally
from tests.campaign.model.machine import Machine

_BATCH = 100  # examples of one seed: what is to be replayed after a violation
_EXAMPLES = {Scale.SMOKE: 30, Scale.QUICK: 200, Scale.FULL: 10_000}
_STEPS = 40


def try_model(scale: Scale, campaign_seed: int) -> Tally:
    """Let batches of histories happen."""
    examples, violations = 0, list[str]()
    for batch in range(-(-_EXAMPLES[scale] // _BATCH)):
        number = campaign_seed * 1_000 + batch
        count, wrong = run_batch(Machine, number, min(_BATCH, _EXAMPLES[scale]))
        examples += count
        if wrong:
            replay = f"--only model --seed {campaign_seed}"
            violations.append(f"model, batch {batch} of `./dev campaign {replay}`: {wrong}")
    return Tally({"model_examples": examples}, tuple(violations))


def run_batch(
    machine: type[Machine], number: int, examples: int, *, shrink: bool = True
) -> tuple[int, str]:
    """Run the histories of one seed; return how many there were, and what is wrong, if anything."""

    class Seeded(machine):  # type: ignore[misc, valid-type]  # a count of its own
        """The machine with the histories of this seed."""

        examples = 0

    seed(number)(Seeded)
    told: list[object] = []
    try:
        with with_reporter(told.append):
            run_state_machine_as_test(Seeded, settings=_settings(examples, shrink=shrink))
    except Exception as error:  # noqa: BLE001 - whatever it is, the promise is not kept
        lines = [*_words(error), *map(str, told)]
        return Seeded.examples, " | ".join(line for each in lines for line in each.splitlines())
    return Seeded.examples, ""


def _words(error: BaseException) -> Iterator[str]:
    """Yield what an error says, and every one that it is made of."""
    yield f"{type(error).__name__}: {error}"
    yield from getattr(error, "__notes__", ())
    for part in error.exceptions if isinstance(error, BaseExceptionGroup) else ():
        yield from _words(part)


def _settings(examples: int, *, shrink: bool) -> settings:
    return settings(
        max_examples=examples,
        stateful_step_count=_STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
