"""What is wrong with a configuration, in one sentence."""

from typing import Any

from pydantic import ValidationError

from prose_data.config.models import Model
from prose_data.config.whole import Config

_SHOWN = 60  # characters of a wrong value
_PLAIN = {  # pydantic's words where they speak of Python
    "tuple_type": "must be a list such as [a, b]",
    "dict_type": "must hold keys and values",
    "model_type": "must hold keys and values",
    "invalid_key": "must be a text",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "string_type": "must be a text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "string_pattern_mismatch": "must be letters, digits, dots, - and _, a letter or digit first",
}


def explain(error: ValidationError) -> str:
    """Return the first problems in one sentence: key, what is wrong, what would be right."""
    problems = error.errors()
    places = [problem["loc"] for problem in problems]
    parts = []
    for problem in problems:
        place = problem["loc"]
        if any(len(other) > len(place) and other[: len(place)] == place for other in places):
            continue  # the consequence of a problem further in
        where = ".".join(str(step) for step in place) or "the configuration"
        if problem["type"] == "extra_forbidden":
            parts.append(f"{where} is not a known key{_near(place)}")
        elif problem["type"] == "value_error":
            prefix = "" if where == "the configuration" else f"{where}: "
            parts.append(prefix + str(problem["ctx"]["error"]))
        elif problem["type"] == "missing":
            parts.append(f"{where} is missing")
        else:
            message = _PLAIN.get(problem["type"], problem["msg"].replace("Input should be", "must be"))
            value = repr(problem["input"])
            shown = value if len(value) <= _SHOWN else f"{value[: _SHOWN - 1]}…"
            parts.append(f"{where} is {shown}: {message}")
    return "; ".join(parts[:3])


def _near(location: tuple[str | int, ...]) -> str:
    from difflib import get_close_matches

    model: Any = Config
    for step in location[:-1]:
        field = getattr(model, "model_fields", {}).get(step)
        if field is None:
            model = Model if location[0] == "models" else None
            continue
        model = field.annotation
    fields = list(getattr(model, "model_fields", {}))
    close = get_close_matches(str(location[-1]), fields, n=1)
    return f"; did you mean {close[0]}?" if close else (f"; known are {', '.join(fields)}" if fields else "")
