import pytest
from hypothesis import given
from hypothesis import strategies as st

from fyr.core.model.checks.narrative import problem


def div(content: str) -> str:
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{content}</div>'


@pytest.mark.parametrize(
    "content",
    [
        "Anna",
        "<p>a<br/><b>b</b></p>",
        '<table border="1"><tr><td colspan="2">a</td></tr></table>',
        '<a href="http://example.org/x?a=1&amp;b=2">x</a>',
        '<a href="#part">x</a><a name="part">y</a>',
        '<a href="mailto:a@example.org">x</a>',
        '<img src="data:image/png;base64,AAAA" alt="x"/>',
        '<p style="color: red" class="a" lang="da" xml:lang="da">x</p>',
        "a&nbsp;b &lt; c &#229;",
        "<!-- a note -->x",
        "<p>javascript: is a word</p>",
    ],
)
def test_formatting_is_allowed(content):
    assert problem(div(content)) is None


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("<script>alert(1)</script>", "<script>"),
        ("<SCRIPT>alert(1)</SCRIPT>", "<SCRIPT>"),
        ("<style>p {}</style>", "<style>"),
        ("<iframe src='http://example.org'/>", "<iframe>"),
        ("<form><input/></form>", "<form>"),
        ("<object data='x'/>", "<object>"),
        ('<p onclick="x()">a</p>', "onclick"),
        ('<img src="x" onerror="x()"/>', "onerror"),
        ('<a href="javascript:x()">a</a>', "javascript:"),
        ('<a href=" JaVa&#10;Script:x()">a</a>', "javascript:"),
        ('<a href="&#1;javascript:x()">a</a>', "not well-formed"),
        ('<a href="data:text/html,x">a</a>', "data:"),
        ('<img src="data:image/svg+xml,x"/>', "data:"),
        ('<p style="width: expression(x())">a</p>', "style"),
        ('<p style="background: url(javascript:x)">a</p>', "style"),
        ('<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "<svg>"),
        ('<x:p xmlns:x="urn:x">a</x:p>', "namespace"),
        ("<?php x ?>", "processing instructions"),
        ("<p>a", "not well-formed"),
        ("a & b", "not well-formed"),
        ("<p>" * 200 + "</p>" * 200, "deeper"),
    ],
)
def test_active_content_is_refused(content, what):
    assert what in problem(div(content))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "not well-formed"),
        ("Anna", "not well-formed"),
        ("<div>Anna</div>", "namespace"),
        ('<p xmlns="http://www.w3.org/1999/xhtml">a</p>', "must be a <div>"),
        ("<!DOCTYPE div [<!ENTITY a 'b'>]>" + div("&a;"), "document type"),
        (div("a") + div("b"), "not well-formed"),
        (None, "found null"),
        (7, "found 7"),
        (div("\ud800"), "surrogate"),
    ],
)
def test_a_narrative_is_one_div_of_xhtml(text, what):
    assert what in problem(text)


@given(st.text())
def test_any_text_is_taken_or_told_of(text):
    assert problem(text)
    assert problem(div(text)) is None or problem(div(text))
