"""Whether a parameter is declared so that it makes sense, and where it is not."""

from contract.document import Node, Position
from contract.parameter import Parameter, ParameterError, ParameterType
from contract.reading import Reader


def check_declaration(
    reader: Reader, parameter: Parameter, fields: dict[str, Node], at: Position
) -> None:
    """Complain of keys that don't go together, and of a default that does not fit."""
    _check_choices(reader, parameter, fields, at)
    if parameter.secret and parameter.type is not ParameterType.STRING:
        reader.complain(at, f"parameter {parameter.name}: a secret is a string")
    if parameter.secret and parameter.default not in (None, ""):
        message = f'parameter {parameter.name}: a secret\'s only possible default is ""'
        reader.complain(fields["default"].at, message)
    if "default" in fields and parameter.default is None:
        reader.complain(fields["default"].at, 'an empty default; leave it out, or write ""')
    if parameter.default is not None:
        try:
            parameter.accept(parameter.default)
        except ParameterError as error:
            reader.complain(fields["default"].at, f"the default does not fit: {error}")


def _check_choices(
    reader: Reader, parameter: Parameter, fields: dict[str, Node], at: Position
) -> None:
    if parameter.type is ParameterType.ENUM and not parameter.values:
        reader.complain(at, f"parameter {parameter.name}: an enum needs `values: [a, b]`")
    if parameter.values and parameter.type is not ParameterType.ENUM:
        reader.complain(fields["values"].at, "`values` goes with `type: enum`")
    for bound in ("min", "max"):
        if bound in fields and parameter.type is not ParameterType.INTEGER:
            reader.complain(fields[bound].at, f"`{bound}` goes with `type: integer`")
    if parameter.min > parameter.max:
        reader.complain(at, f"parameter {parameter.name}: `min` is more than `max`")
