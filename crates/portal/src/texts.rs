//! Everything a page says, from `locales/<language>/*.ftl`. A new language is a folder there and one line here.

use std::borrow::Cow;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use unic_langid::LanguageIdentifier;

use crate::html::Html;

/// Opens the mark that stands for a part of markup while Fluent composes a sentence. Private-use characters: no text of
/// ours holds them, and those in a person's data are taken out first.
pub(crate) const MARK_OPEN: char = '\u{e000}';
/// Closes the mark.
pub(crate) const MARK_CLOSE: char = '\u{e001}';

/// A language that pages can be in.
pub(crate) struct Language {
    /// BCP 47 tag, for `lang`.
    pub(crate) tag: &'static str,
    /// `ltr` or `rtl`, for `dir`.
    pub(crate) direction: &'static str,
    /// The direction in which dates read: that of the month names.
    pub(crate) date_direction: &'static str,
    bundle: FluentBundle<FluentResource>,
}

/// The texts of one language.
#[derive(Clone, Copy)]
pub(crate) struct Texts(&'static Language);

/// What fills a place in a message.
#[derive(Debug, Clone)]
pub(crate) enum Arg {
    /// A count, which may choose between plural forms.
    Number(i64),
    /// A value with its markup.
    Shown(crate::display::Shown),
    /// Markup such as a link.
    Html(Html),
}

const ENGLISH: &[&str] = &[
    include_str!("../locales/en/common.ftl"),
    include_str!("../locales/en/display.ftl"),
    include_str!("../locales/en/public.ftl"),
    include_str!("../locales/en/record.ftl"),
    include_str!("../locales/en/measurements.ftl"),
    include_str!("../locales/en/sharing.ftl"),
];

static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    let mut languages =
        vec![language("en", "ltr", "ltr", &ENGLISH.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>())];
    if cfg!(test) {
        // English turned into a right-to-left language with longer words: what breaks in it would break in Urdu.
        languages.push(language("ar-XB", "rtl", "ltr", &ENGLISH.iter().map(|s| pseudo(s)).collect::<Vec<_>>()));
    }
    languages
});

fn language(tag: &'static str, direction: &'static str, date_direction: &'static str, sources: &[String]) -> Language {
    let id: LanguageIdentifier = tag.parse().expect("the tags in this file are valid");
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    // Pages isolate values with `bdi`, so Fluent need not add its invisible characters.
    bundle.set_use_isolating(false);
    for source in sources {
        let resource = FluentResource::try_new(source.clone()).map_err(|(_, errors)| errors);
        let resource = resource.expect("a test parses every locale file");
        bundle.add_resource(resource).expect("a test finds messages that are defined twice");
    }
    Language { tag, direction, date_direction, bundle }
}

/// Lengthens each message: a bracket at each end and a third more letters.
fn pseudo(source: &str) -> String {
    let lengthen = |line: &str| match line.split_once(" = ") {
        Some((key, value)) if !key.starts_with([' ', '#']) && !value.ends_with("->") && key != "error-prefix" => {
            format!("{key} = ⟦{value}{}⟧", "‧".repeat(value.len() / 6))
        }
        _ => line.to_owned(),
    };
    source.lines().map(lengthen).collect::<Vec<_>>().join("\n")
}

impl Texts {
    /// The texts of the language with this tag, or English.
    pub(crate) fn of(tag: &str) -> Self {
        Self(LANGUAGES.iter().find(|language| language.tag == tag).unwrap_or(&LANGUAGES[0]))
    }

    /// Every language there is.
    #[cfg(test)]
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        LANGUAGES.iter().map(Self)
    }

    /// The language.
    pub(crate) fn language(self) -> &'static Language {
        self.0
    }

    /// Whether there is such a message.
    pub(crate) fn has(self, key: &str) -> bool {
        self.0.bundle.has_message(key)
    }

    /// Several things in one phrase: `a, b and c`.
    pub(crate) fn list(self, things: Vec<Html>) -> Html {
        let mut things = things.into_iter().rev();
        let Some(last) = things.next() else { return Html::default() };
        let Some(before) = things.next() else { return last };
        let joined = self.html("list-and", &[("rest", before.into()), ("last", last.into())]);
        things.fold(joined, |rest, thing| self.html("list-comma", &[("first", thing.into()), ("rest", rest.into())]))
    }

    /// A message without places to fill.
    pub(crate) fn say(self, key: &str) -> String {
        self.format(key, None).into_owned()
    }

    /// A message as plain text, for titles, attributes and files.
    pub(crate) fn plain(self, key: &str, args: &[(&str, Arg)]) -> String {
        let mut filled = FluentArgs::new();
        for (name, arg) in args {
            match arg {
                Arg::Number(n) => filled.set(*name, *n),
                Arg::Shown(shown) => filled.set(*name, shown.text().to_owned()),
                Arg::Html(html) => filled.set(*name, html.as_str().to_owned()),
            }
        }
        self.format(key, Some(&filled)).into_owned()
    }

    /// A message with markup in its places.
    pub(crate) fn html(self, key: &str, args: &[(&str, Arg)]) -> Html {
        let mut filled = FluentArgs::new();
        let mut parts = Vec::new();
        for (name, arg) in args {
            let part = match arg {
                Arg::Number(n) => {
                    filled.set(*name, *n);
                    continue;
                }
                Arg::Shown(shown) => shown.html(),
                Arg::Html(html) => html.clone(),
            };
            filled.set(*name, format!("{MARK_OPEN}{}{MARK_CLOSE}", parts.len()));
            parts.push(part);
        }
        Html::filled(&self.format(key, Some(&filled)), &parts)
    }

    fn format(self, key: &str, args: Option<&FluentArgs<'_>>) -> Cow<'static, str> {
        let Some(pattern) = self.0.bundle.get_message(key).and_then(|message| message.value()) else {
            // A test looks up every key that is used; this can only be a key made at run time.
            tracing::error!(key, "A text is missing");
            return Cow::Owned(key.to_owned());
        };
        let mut errors = Vec::new();
        let text = self.0.bundle.format_pattern(pattern, args, &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::error!(key, "A text could not be filled in");
        }
        Cow::Owned(text)
    }
}

/// A person's text without characters that could be taken for marks.
pub(crate) fn unmarked(text: String) -> String {
    if text.contains([MARK_OPEN, MARK_CLOSE]) { text.replace([MARK_OPEN, MARK_CLOSE], "") } else { text }
}

impl From<i64> for Arg {
    fn from(n: i64) -> Self {
        Self::Number(n)
    }
}

impl From<usize> for Arg {
    fn from(n: usize) -> Self {
        Self::Number(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

impl From<&usize> for Arg {
    fn from(n: &usize) -> Self {
        Self::from(*n)
    }
}

impl From<crate::display::Shown> for Arg {
    fn from(shown: crate::display::Shown) -> Self {
        Self::Shown(shown)
    }
}

impl From<&crate::display::Shown> for Arg {
    fn from(shown: &crate::display::Shown) -> Self {
        Self::Shown(shown.clone())
    }
}

impl From<Html> for Arg {
    fn from(html: Html) -> Self {
        Self::Html(html)
    }
}
