"""Route templates of HTTP triggers, matched like ASP.NET routing.

`titles/{id:int:min(1)}/{part?}`, `files/{*path}`, `{name}.{extension}`. Literal segments are tried before constrained
parameters, constrained parameters before plain ones, and catch-alls last. Source: ASP.NET Core, "Routing", sections
"Route constraints" and "Route template precedence".
"""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PARAMETER = re.compile(
    r"\{(?P<star>\*{0,2})(?P<name>\w+)(?P<constraints>(?::[^{}()?=]+(?:\([^)]*\))?)*)(?P<optional>\??)\}"
)
CONSTRAINT = re.compile(r":(?P<kind>[^{}()?=:]+)(?:\((?P<arguments>[^)]*)\))?")
LITERAL, CONSTRAINED, PLAIN, CATCH_ALL_CONSTRAINED, CATCH_ALL = range(1, 6)


@dataclass(frozen=True, slots=True)
class Template:
    """A route template: its pattern, the constraints of its parameters, and its precedence."""

    pattern: re.Pattern[str]
    checks: tuple[tuple[str, Callable[[str], bool]], ...]
    precedence: tuple[int, ...]

    def match(self, path: str) -> dict[str, str] | None:
        """Return the parameters of a path (without leading slash, unescaped), or None if it does not match."""
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        parameters = {name: value for name, value in found.groupdict().items() if value is not None}
        if all(check(parameters[name]) for name, check in self.checks if name in parameters):
            return parameters
        return None


def compile_template(template: str) -> Template:
    """Parse a route template; raise ValueError with the reason if it is invalid."""
    pattern = ""
    checks: list[tuple[str, Callable[[str], bool]]] = []
    precedence: list[int] = []
    for segment in filter(None, template.strip("/").split("/")):
        parameters = list(PARAMETER.finditer(segment))
        if PARAMETER.sub("", segment).strip("}{") != PARAMETER.sub("", segment):
            raise ValueError(f"{segment!r} is not a route segment")
        constrained = False
        body, end = "", 0
        for parameter in parameters:
            found = _checks(parameter["constraints"])
            constrained = constrained or bool(found)
            checks.extend((parameter["name"], check) for check in found)
            body += re.escape(segment[end : parameter.start()])
            body += f"(?P<{parameter['name']}>{'.*' if parameter['star'] else '[^/]+'})"
            end = parameter.end()
        body += re.escape(segment[end:])
        whole = len(parameters) == 1 and parameters[0][0] == segment
        slash = "/" if pattern else ""
        if whole and (parameters[0]["optional"] or parameters[0]["star"]):
            pattern += f"(?:{slash}{body})?"
        else:
            pattern += slash + body
        if not parameters:
            precedence.append(LITERAL)
        elif parameters[-1]["star"]:
            precedence.append(CATCH_ALL_CONSTRAINED if constrained else CATCH_ALL)
        else:
            precedence.append(CONSTRAINED if constrained or not whole else PLAIN)
    try:
        compiled = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    except re.PatternError as error:
        raise ValueError(f"{template!r} is not a route: {error}") from None
    return Template(compiled, tuple(checks), tuple(precedence))


def _checks(text: str) -> list[Callable[[str], bool]]:
    return [_check(match["kind"], match["arguments"]) for match in CONSTRAINT.finditer(text)]


def _check(kind: str, arguments: str | None) -> Callable[[str], bool]:
    """Return the predicate of one constraint such as `length(3,8)`."""
    name = kind.lower()
    if arguments is None and name in PLAIN_CONSTRAINTS:
        return PLAIN_CONSTRAINTS[name]
    if arguments is not None and name == "regex":
        expression = re.compile(arguments, re.IGNORECASE)
        return lambda text: expression.search(text) is not None
    numbers = [int(number) for number in (arguments or "").split(",") if number.strip()]
    match name, numbers:
        case "minlength", [low]:
            return lambda text: len(text) >= low
        case "maxlength", [high]:
            return lambda text: len(text) <= high
        case "length", [exact]:
            return lambda text: len(text) == exact
        case "length", [low, high]:
            return lambda text: low <= len(text) <= high
        case "min", [low]:
            return lambda text: _is_int(text) and int(text) >= low
        case "max", [high]:
            return lambda text: _is_int(text) and int(text) <= high
        case "range", [low, high]:
            return lambda text: _is_int(text) and low <= int(text) <= high
    raise ValueError(f"the route constraint {kind!r} is unknown")


def _is_int(text: str, bits: int = 64) -> bool:
    return re.fullmatch(r"[+-]?\d{1,20}", text, re.ASCII) is not None and -(1 << bits - 1) <= int(text) < 1 << bits - 1


def _parses(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return check


PLAIN_CONSTRAINTS: dict[str, Callable[[str], bool]] = {
    "int": lambda text: _is_int(text, 32),
    "long": _is_int,
    "bool": lambda text: text.lower() in ("true", "false"),
    "alpha": lambda text: re.fullmatch("[A-Za-z]*", text) is not None,
    "decimal": lambda text: re.fullmatch(r"[+-]?\d*\.?\d+", text, re.ASCII) is not None,
    "double": _parses(float),
    "float": _parses(float),
    "guid": _parses(uuid.UUID),
    "datetime": _parses(datetime.fromisoformat),
    "required": bool,
}
