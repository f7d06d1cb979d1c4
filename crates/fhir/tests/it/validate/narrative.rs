//! Narrative: XHTML that can do nothing.

use keepwell_fhir::validate::xhtml::fault;
use proptest::prelude::*;

use super::{fine, only};

const NAMESPACE: &str = "http://www.w3.org/1999/xhtml";

fn div(inside: &str) -> String {
    format!("<div xmlns=\"{NAMESPACE}\">{inside}</div>")
}

#[test]
fn text_lists_tables_links_and_images_are_fine() {
    for inside in [
        "words",
        "<p class=\"a\" id='b'>a<br/>b &amp; c &#233; &#xe9;</p>",
        "<ul><li>a</li></ul><ol><li>b</li></ol><!-- a - comment -->x",
        "<table border=\"1\"><thead><tr><th colspan='2'>a</th></tr></thead><tbody><tr><td >b</td ></tr></tbody></table>",
        "<a href=\"https://example.org/?a=1&amp;b=2\">a</a><a name='x'>b</a>",
        "<img src=\"#pic\" alt=\"\"/>",
        "<img src=\"data:image/png;base64,AAAA\"/>",
        "<p style=\"color: red\">a</p><div xmlns='http://www.w3.org/1999/xhtml'>b</div>",
    ] {
        assert_eq!(fault(&div(inside)), None, "{inside}");
    }
    assert_eq!(fault(&format!(" {} \n", div("a"))), None);
}

#[test]
fn whatever_could_run_or_load_something_is_told() {
    for (inside, words) in [
        ("<script>alert(1)</script>", "<script>"),
        ("<p onclick=\"x()\">a</p>", "onclick"),
        ("<p ONCLICK=\"x()\">a</p>", "ONCLICK"),
        ("<a href=\"javascript:x()\">a</a>", "script"),
        ("<a href=\" java&#115;cript:x()\">a</a>", "script"),
        ("<a href=\"JaVa&#x0A;ScRiPt:x()\">a</a>", "script"),
        ("<a href='vbscript:x'>a</a>", "script"),
        ("<a href=\"data:text/html,a\">a</a>", "script"),
        ("<p style=\"width: expression(x)\">a</p>", "script"),
        ("<iframe src=\"x\"/>", "<iframe>"),
        ("<object data=\"x\"/>", "<object>"),
        ("<form action=\"x\">a</form>", "<form>"),
        ("<input value=\"x\"/>", "<input>"),
        ("<style>a</style>", "<style>"),
        ("<link rel=\"x\"/>", "<link>"),
        ("<svg>a</svg>", "<svg>"),
        ("<h:p>a</h:p>", "<h:p>"),
        ("<P>a</P>", "<P>"),
        ("<p background=\"x\">a</p>", "background"),
        ("<!DOCTYPE html>a", "declaration"),
        ("<?php x ?>a", "declaration"),
        ("<![CDATA[<script>]]>", "declaration"),
    ] {
        let fault = fault(&div(inside)).unwrap_or_else(|| panic!("{inside}"));
        assert!(fault.contains(words), "{inside}: {fault}");
    }
}

#[test]
fn what_is_not_well_formed_is_told() {
    for (text, words) in [
        ("", "starts with"),
        ("words", "starts with"),
        ("<p>a</p>", "starts with"),
        ("<div>a</div>", "namespace"),
        ("<div xmlns=\"x\">a</div>", "namespace"),
        ("<divx>a</divx>", "<divx>"),
        (&div(""), "says nothing"),
        (&div(" <p> </p> "), "says nothing"),
        (&div("<p>a"), "closes"),
        (&div("<p>a</b></p>"), "closes"),
        (&format!("{}x", div("a")), "goes on"),
        (&format!("{}{}", div("a"), div("b")), "goes on"),
        (&div("<p a"), "attribute"),
        (&div("<p class>a</p>"), "without a value"),
        (&div("<p class=a>a</p>"), "without a value"),
        (&div("<p class='a' class='b'>a</p>"), "twice"),
        (&div("<p class='a'id='b'>a</p>"), "cannot be read"),
        (&div("<p class='<'>a</p>"), "&lt;"),
        (&div("a & b"), "&amp;"),
        (&div("a &nbsp; b"), "&nbsp;"),
        (&div("a &#0; b"), "&#0;"),
        (&div("a &#xd800; b"), "&#xd800;"),
        (&div("<!-- a"), "comment"),
        (&div(&"<b>".repeat(101)), "levels"),
    ] {
        let fault = fault(text).unwrap_or_else(|| panic!("{text}"));
        assert!(fault.contains(words), "{text}: {fault}");
    }
}

#[test]
fn a_resource_with_such_a_narrative_is_told() {
    let patient = |div: &str| {
        let div = keepwell_fhir::json::quoted(div);
        format!(r#"{{"resourceType":"Patient","text":{{"status":"generated","div":{div}}}}}"#)
    };
    fine(&patient(&div("a \"quoted\" word")));
    only(&patient(&div("<script>x</script>")), "Patient.text.div", "The narrative holds <script>");
    only(&patient(""), "Patient.text.div", "empty");
}

proptest! {
    #[test]
    fn no_text_panics_or_smuggles_a_script(text in "(<|>|/|div|p|a|script| |=|\"|'|href|onload|xmlns|&|;|#|x|!|--|javascript:|é){0,40}") {
        let _ = fault(&text);
        let whole = div(&text);
        if fault(&whole).is_none() {
            // An attribute stands in a tag and outside of quotes; elsewhere the same letters are words.
            let tags = whole.split('<').skip(1).filter_map(|it| it.split('>').next());
            let runs = tags.flat_map(|tag| tag.split(['"', '\'']).step_by(2)).any(|it| it.contains(" onload"));
            prop_assert!(!whole.contains("<script") && !runs);
        }
    }
}
