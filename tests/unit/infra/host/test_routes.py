"""Route templates match as in ASP.NET."""

from __future__ import annotations

import pytest

from infra.local.host.routes import compile_template


@pytest.mark.parametrize(
    ("template", "path", "parameters"),
    [
        ("", "", {}),
        ("api/titles", "API/Titles", {}),
        ("titles/{id}", "titles/7", {"id": "7"}),
        ("titles/{id}/jobs/{job}", "titles/a/jobs/b", {"id": "a", "job": "b"}),
        ("titles/{id?}", "titles", {}),
        ("titles/{id?}", "titles/x", {"id": "x"}),
        ("{id?}", "", {}),
        ("files/{*path}", "files", {}),
        ("files/{*path}", "files/a/b", {"path": "a/b"}),
        ("files/{**path}", "files/a/b", {"path": "a/b"}),
        ("{name}.{extension}", "film.final.mkv", {"name": "film.final", "extension": "mkv"}),
        ("a.b/{id}", "a.b/1", {"id": "1"}),
        ("n/{id:int}", "n/-12", {"id": "-12"}),
        ("n/{id:int:min(1)}", "n/3", {"id": "3"}),
        ("n/{id:length(2,3)}", "n/abc", {"id": "abc"}),
        ("n/{id:guid}", "n/0f8fad5b-d9cb-469f-a165-70867728950e", {"id": "0f8fad5b-d9cb-469f-a165-70867728950e"}),
        ("n/{id:alpha?}", "n", {}),
        ("n/{id:regex(^v\\d+$)}", "n/v12", {"id": "v12"}),
        ("n/{ok:bool}", "n/True", {"ok": "True"}),
        ("n/{at:datetime}", "n/2026-11-24", {"at": "2026-11-24"}),
    ],
)
def test_a_path_gives_its_parameters(template: str, path: str, parameters: dict[str, str]) -> None:
    assert compile_template(template).match(path) == parameters


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("titles", "titles/7"),
        ("titles/{id}", "titles"),
        ("titles/{id}", "titles/7/8"),
        ("a.b/{id}", "axb/1"),
        ("n/{id:int}", "n/2147483648"),
        ("n/{id:int}", "n/x"),
        ("n/{id:int:min(1)}", "n/0"),
        ("n/{id:max(5)}", "n/6"),
        ("n/{id:range(2,4)}", "n/5"),
        ("n/{id:length(2)}", "n/abc"),
        ("n/{id:minlength(2)}", "n/a"),
        ("n/{id:maxlength(2)}", "n/abc"),
        ("n/{id:alpha}", "n/a1"),
        ("n/{id:guid}", "n/0f8fad5b"),
        ("n/{id:double}", "n/much"),
        ("n/{id:decimal}", "n/1e5"),
        ("n/{id:long}", "n/9223372036854775808"),
        ("n/{id:regex(^v\\d+$)}", "n/w12"),
    ],
)
def test_another_path_does_not_match(template: str, path: str) -> None:
    assert compile_template(template).match(path) is None


@pytest.mark.parametrize("template", ["n/{id:colour}", "n/{id:length(a)}", "n/{id", "n/{i d}", "{a}/{a}"])
def test_a_wrong_template_is_told(template: str) -> None:
    with pytest.raises(ValueError, match=r"route|literal|name"):
        compile_template(template)


def test_literals_come_before_constraints_before_parameters_before_catch_alls() -> None:
    ordered = ["t/new", "t/new/{id}", "t/{id:int}", "t/{id}", "t/{id}/{*rest}", "t/{*rest:alpha}", "t/{*rest}"]
    backwards = ordered[::-1]
    assert sorted(backwards, key=lambda template: compile_template(template).precedence) == ordered
