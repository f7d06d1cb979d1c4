//! Text that is already HTML. Only this module, `texts` and `display` make it, from parts that they escaped.

use std::fmt::{self, Write as _};

/// Markup that a template writes as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Html(String);

impl Html {
    /// Any text, made safe.
    pub(crate) fn escaped(text: &str) -> Self {
        let mut out = String::with_capacity(text.len() + 8);
        for c in text.chars() {
            match c {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                _ => out.push(c),
            }
        }
        Self(out)
    }

    /// A `bdi` element that isolates the text from the direction of what surrounds it.
    pub(crate) fn isolated(text: &str, direction: &'static str, nowrap: bool) -> Self {
        let mut out = String::with_capacity(text.len() + 48);
        let class = if nowrap { " class=\"nhsuk-u-nowrap\"" } else { "" };
        write!(out, "<bdi dir=\"{direction}\"{class}>{}</bdi>", Self::escaped(text)).expect("writing to a String");
        Self(out)
    }

    /// What a message says, with its marks `\u{e000}n\u{e001}` replaced by the parts that they number.
    pub(crate) fn filled(message: &str, parts: &[Self]) -> Self {
        let mut out = String::with_capacity(message.len() + 64);
        let escaped = Self::escaped(message);
        let mut rest = escaped.0.as_str();
        while let Some((before, after)) = rest.split_once(crate::texts::MARK_OPEN) {
            out.push_str(before);
            let (number, after) = after.split_once(crate::texts::MARK_CLOSE).unwrap_or(("", after));
            if let Some(part) = number.parse::<usize>().ok().and_then(|n| parts.get(n)) {
                out.push_str(&part.0);
            }
            rest = after;
        }
        out.push_str(rest);
        Self(out)
    }

    /// What a template rendered.
    pub(crate) fn from_template(rendered: String) -> Self {
        Self(rendered)
    }

    /// The markup.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Html {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl askama::filters::HtmlSafe for Html {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_can_become_markup() {
        let hostile = "<script>\"x\" & 'y'</script>";
        assert_eq!(Html::escaped(hostile).as_str(), "&lt;script&gt;&quot;x&quot; &amp; &#39;y&#39;&lt;/script&gt;");
        assert!(!Html::isolated(hostile, "ltr", true).as_str().contains("<script"));
        assert!(!Html::filled(hostile, &[]).as_str().contains("<script"));
    }

    #[test]
    fn a_mark_is_replaced_by_its_part_and_an_unknown_mark_by_nothing() {
        let parts = [Html::isolated("48", "ltr", false)];
        let message = "was \u{e000}0\u{e001}, then \u{e000}7\u{e001}.";
        assert_eq!(Html::filled(message, &parts).as_str(), "was <bdi dir=\"ltr\">48</bdi>, then .");
    }
}
