//! What every page must be, whoever asked for it: the tests put each rendered sample and each answer of the router
//! through [`check`].

use std::collections::{HashMap, HashSet};

use askama::Template;

use crate::shell::{Person, Section, Shell};
use crate::texts::Texts;

/// A view with examples of itself: ordinary, empty, hostile and very long.
pub(crate) trait Samples: Template + Sized {
    fn samples(t: Texts) -> Vec<Self>;
}

/// The frame of a sample.
pub(crate) fn shell(t: Texts, section: Section, signed_in: bool) -> Shell {
    let name = crate::display::name("Amina Khan");
    let person = signed_in.then(|| Person { name, csrf: "token".to_owned() });
    Shell { t, service: "Keepwell Leeds".to_owned(), demonstration: true, person, section, error: false }
}

/// A tag of a page, or the text between two.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    Open(String, HashMap<String, String>),
    Close(String),
    Text(String),
}

const VOID: [&str; 6] = ["meta", "link", "input", "br", "hr", "img"];

/// Splits a page into tags and texts. It is strict: what our templates make must be well-formed.
pub(crate) fn pieces(html: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut rest = html.trim_start().strip_prefix("<!DOCTYPE html>").expect("a page starts with its doctype");
    while let Some(start) = rest.find('<') {
        if !rest[..start].trim().is_empty() {
            out.push(Piece::Text(rest[..start].to_owned()));
        }
        rest = &rest[start + 1..];
        if let Some(closing) = rest.strip_prefix('/') {
            let (name, after) = closing.split_once('>').expect("a tag ends");
            out.push(Piece::Close(name.to_owned()));
            rest = after;
            continue;
        }
        let end = end_of_tag(rest);
        let (name, attributes) = tag(&rest[..end]);
        let closed = rest[..end].ends_with('/') || VOID.contains(&name.as_str());
        rest = &rest[end + 1..];
        out.push(Piece::Open(name.clone(), attributes));
        if name == "script" {
            let (script, after) = rest.split_once("</script>").expect("a script ends");
            out.push(Piece::Text(script.to_owned()));
            rest = after;
            out.push(Piece::Close(name));
        } else if closed {
            out.push(Piece::Close(name));
        }
    }
    out
}

fn end_of_tag(rest: &str) -> usize {
    let mut quoted = false;
    rest.bytes()
        .position(|byte| {
            quoted ^= byte == b'"';
            byte == b'>' && !quoted
        })
        .expect("a tag ends")
}

fn tag(inner: &str) -> (String, HashMap<String, String>) {
    let inner = inner.trim_end_matches('/');
    let (name, mut rest) = inner.split_once(char::is_whitespace).unwrap_or((inner, ""));
    let mut attributes = HashMap::new();
    while !rest.trim_start().is_empty() {
        rest = rest.trim_start();
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let key = rest[..end].to_owned();
        rest = &rest[end..];
        let mut value = String::new();
        if let Some(quoted) = rest.strip_prefix("=\"") {
            let (inside, after) = quoted.split_once('"').expect("a quoted value ends");
            value = inside.to_owned();
            rest = after;
        } else {
            assert!(!rest.starts_with('='), "the value of {key} is not quoted in <{inner}>");
        }
        assert!(attributes.insert(key.clone(), value).is_none(), "{key} comes twice in <{inner}>");
    }
    (name.to_owned(), attributes)
}

/// The texts inside the first element of this name, without those marked as private.
fn inner_text(pieces: &[Piece], element: &str) -> String {
    let mut text = String::new();
    let (mut depth, mut private) = (0, None::<usize>);
    for piece in pieces {
        match piece {
            Piece::Open(name, attributes) if depth > 0 || name == element => {
                depth += 1;
                if attributes.contains_key("data-private") {
                    private.get_or_insert(depth);
                }
            }
            Piece::Close(_) if depth > 0 => {
                depth -= 1;
                if private.is_some_and(|at| at > depth) {
                    private = None;
                }
                if depth == 0 {
                    break;
                }
            }
            Piece::Text(words) if depth > 0 && private.is_none() => text.push_str(words),
            _ => {}
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Fails if a page is not as every page must be.
pub(crate) fn check(name: &str, html: &str) {
    let pieces = pieces(html);
    nesting(name, &pieces);
    titles(name, &pieces);
    ids(name, &pieces);
    controls(name, &pieces);
    policy(name, &pieces);
    words(name, &pieces);
}

fn opened(pieces: &[Piece]) -> impl Iterator<Item = (&String, &HashMap<String, String>)> {
    pieces.iter().filter_map(|piece| match piece {
        Piece::Open(name, attributes) => Some((name, attributes)),
        _ => None,
    })
}

fn nesting(page: &str, pieces: &[Piece]) {
    let mut open = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Open(name, _) => open.push(name),
            Piece::Close(name) => assert_eq!(open.pop(), Some(name), "{page}: </{name}> closes something else"),
            Piece::Text(_) => {}
        }
    }
    assert!(open.is_empty(), "{page}: {open:?} never end");
}

fn titles(page: &str, pieces: &[Piece]) {
    let count = |wanted: &str| opened(pieces).filter(|(name, _)| *name == wanted).count();
    assert_eq!(count("h1"), 1, "{page}: there is one h1");
    assert_eq!(count("main"), 1, "{page}: there is one main");
    let (title, h1) = (inner_text(pieces, "title"), inner_text(pieces, "h1"));
    let title = title.strip_prefix("Error: ").unwrap_or(&title);
    assert!(!h1.is_empty() && title.starts_with(&h1), "{page}: the title {title:?} starts with the h1 {h1:?}");
    assert!(h1.chars().count() <= 90, "{page}: the h1 is too long");
    let html = opened(pieces).find(|(name, _)| *name == "html").expect("there is an html element").1;
    assert!(html.contains_key("lang") && matches!(html["dir"].as_str(), "ltr" | "rtl"), "{page}: lang and dir");
    let mut level = 1;
    for (name, _) in opened(pieces) {
        if let Some(next) = name.strip_prefix('h').and_then(|n| n.parse::<u8>().ok()) {
            assert!(next <= level + 1, "{page}: a {name} follows an h{level}");
            level = next;
        }
    }
}

fn ids(page: &str, pieces: &[Piece]) {
    let mut seen = HashSet::new();
    for (_, attributes) in opened(pieces) {
        if let Some(id) = attributes.get("id") {
            assert!(seen.insert(id.as_str()), "{page}: the id {id} comes twice");
        }
    }
    for (name, attributes) in opened(pieces) {
        for key in ["for", "aria-describedby", "aria-labelledby", "aria-controls"] {
            for id in attributes.get(key).into_iter().flat_map(|ids| ids.split(' ')) {
                assert!(seen.contains(id), "{page}: {key} of <{name}> names {id:?}, which is nowhere");
            }
        }
        if let Some(target) = attributes.get("href").and_then(|href| href.strip_prefix('#')) {
            assert!(seen.contains(target), "{page}: a link leads to #{target}, which is nowhere");
        }
    }
}

fn controls(page: &str, pieces: &[Piece]) {
    let labelled: HashSet<&str> = opened(pieces).filter_map(|(_, a)| a.get("for").map(String::as_str)).collect();
    for (name, attributes) in opened(pieces) {
        let hidden = attributes.get("type").is_some_and(|kind| kind == "hidden");
        if matches!(name.as_str(), "input" | "select" | "textarea") && !hidden {
            assert!(
                attributes.get("id").is_some_and(|id| labelled.contains(id.as_str())),
                "{page}: a control without label"
            );
        }
        if name == "button" {
            assert!(attributes.contains_key("type"), "{page}: a button without type");
        }
        if name == "form" {
            assert!(
                attributes.get("action").is_some_and(|action| action.starts_with('/')),
                "{page}: a form without action"
            );
        }
    }
    let mut in_post = None;
    for piece in pieces {
        match piece {
            Piece::Open(name, a) if name == "form" => in_post = (a["method"] == "post").then_some(false),
            Piece::Open(name, a) if name == "input" && a.get("name").is_some_and(|n| n == "csrf") => {
                assert!(!a["value"].is_empty(), "{page}: an empty csrf field");
                in_post = in_post.map(|_| true);
            }
            Piece::Close(name) if name == "form" => {
                assert_ne!(in_post, Some(false), "{page}: a form without csrf field");
                in_post = None;
            }
            _ => {}
        }
    }
}

/// Nothing that the content security policy would block, and no address of another host.
fn policy(page: &str, pieces: &[Piece]) {
    let mut script = false;
    for piece in pieces {
        match piece {
            Piece::Open(name, attributes) => {
                script = name == "script" && !attributes.contains_key("src");
                assert_ne!(name, "style", "{page}: an inline style sheet");
                for (key, value) in attributes {
                    assert!(key != "style" && !key.starts_with("on"), "{page}: <{name}> has {key}");
                    if matches!(key.as_str(), "href" | "src" | "action") {
                        assert!(
                            value.starts_with(['/', '#']) && !value.starts_with("//"),
                            "{page}: {key} is {value:?}"
                        );
                    }
                }
            }
            Piece::Text(text) if script => assert_eq!(text, crate::headers::INLINE_SCRIPT, "{page}: an inline script"),
            _ => {}
        }
    }
}

/// Characters that speak of a slip in the texts or in the way they are put together.
fn words(page: &str, pieces: &[Piece]) {
    for piece in pieces {
        if let Piece::Text(text) = piece {
            let private = |c| (crate::texts::MARK_OPEN..=crate::texts::MARK_CLOSE).contains(&c);
            assert!(!text.contains(private), "{page}: a mark was left in {text:?}");
            assert!(!text.contains("{ $") && !text.contains("{$"), "{page}: {text:?} was not filled in");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(main: &str) -> String {
        format!(
            "<!DOCTYPE html><html lang=\"en\" dir=\"ltr\"><head><title>A – B</title></head><body><main><h1>A</h1>{main}</main></body></html>"
        )
    }

    #[test]
    fn a_good_page_passes() {
        check("good", &page("<p>Text</p><label for=\"x\">X</label><input id=\"x\" type=\"text\">"));
    }

    #[test]
    fn each_fault_is_found() {
        for fault in [
            "<h1>again</h1>",
            "<h3>skipped</h3>",
            "<p>open",
            "<p id=\"x\"></p><p id=\"x\"></p>",
            "<input type=\"text\" id=\"y\">",
            "<a href=\"#nowhere\">x</a>",
            "<a href=\"https://example.org\">x</a>",
            "<p style=\"color: red\">x</p>",
            "<p onclick=\"x\">x</p>",
            "<script>alert(1)</script>",
            "<form action=\"/x\" method=\"post\"></form>",
            "<button>x</button>",
            "<p>{ $name }</p>",
        ] {
            let found = std::panic::catch_unwind(|| check("faulty", &page(fault)));
            assert!(found.is_err(), "{fault} was not noticed");
        }
    }
}
