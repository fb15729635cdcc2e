"""Profiles: named sets of values for a runbook's parameters, such as those that fit nginx."""

from collections.abc import Mapping, Sequence
from typing import Any

from contract.document import Node
from contract.parameter import PROFILE, Parameter, ParameterError, ParameterType, did_you_mean
from contract.reading import Reader


def profile_parameter(names: Sequence[str]) -> Parameter:
    """Return the parameter that chooses among the profiles."""
    return Parameter(
        PROFILE,
        ParameterType.ENUM,
        summary="Fills in the parameters that are not given.",
        default="",
        values=tuple(names),
    )


def read_profile(
    reader: Reader, name: str, node: Node, declared: Mapping[str, Parameter]
) -> dict[str, Any]:
    """Return a profile's values; complain of what is no parameter, or no value of its type."""
    if not isinstance(node.value, dict) or not node.value:
        reader.complain(node.at, f"profile {name} must be a mapping of parameters to values")
        return {}
    for key, child in node.value.items():
        if key not in declared:
            hint = did_you_mean(key, declared)
            reader.complain(node.key_at[key], f"there is no parameter {key!r}{hint}")
        elif complaint := _complaint(declared[key], child):
            reader.complain(child.at, f"profile {name}: {complaint}")
    return {key: child.plain() for key, child in node.value.items()}


def _complaint(parameter: Parameter, node: Node) -> str:
    if parameter.secret:
        return f"parameter {parameter.name} is secret; a profile can't hold it"
    try:
        parameter.accept(node.plain())
    except ParameterError as error:
        return str(error)
    return ""
