//! The provider's pages: plain HTML that works without scripts.

use super::request::AuthorizationRequest;
use super::state::Provider;
use super::{DemoResident, PATH, style};

/// People shown at a time; the search finds the others.
const SHOWN: usize = 50;

/// What to show.
pub(super) enum Page<'a> {
    /// The people to choose from, for this request and search.
    Choose(&'a AuthorizationRequest, &'a str),
    /// Why nothing can be chosen.
    Problem(&'a str),
}

/// Nothing but our style sheet, and forms that lead here and back to the portal.
pub(super) fn content_security_policy(base_url: &str) -> String {
    let after_scheme = base_url.find("://").map_or(0, |at| at + 3);
    let origin = base_url[after_scheme..].find('/').map_or(base_url, |slash| &base_url[..after_scheme + slash]);
    format!(
        "default-src 'none'; style-src 'self'; form-action 'self' {origin}; base-uri 'none'; frame-ancestors 'none'"
    )
}

pub(super) fn render(provider: &Provider, page: Page<'_>) -> String {
    let mut out = Html(String::with_capacity(16 * 1024));
    let heading = match page {
        Page::Choose(..) => "Choose a person to sign in as",
        Page::Problem(_) => "You cannot sign in from here",
    };
    out.raw("<!doctype html>\n<html lang=\"en-GB\">\n<head>\n<meta charset=\"utf-8\">\n<title>").text(heading);
    out.raw(
        " - demonstration only</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
    );
    out.raw("<meta name=\"robots\" content=\"noindex\">\n<link rel=\"stylesheet\" href=\"").raw(PATH).raw(style::PATH);
    out.raw("\">\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to main content</a>\n<header>\n<p class=\"banner\">");
    out.raw("<strong>Demonstration only.</strong> Everybody here is made up, and anyone can sign in as anyone: there is no ");
    out.raw("password. This is not NHS login. Never enter anything real.</p>\n</header>\n<main id=\"main\">\n<h1>");
    out.text(heading).raw("</h1>\n");
    match page {
        Page::Problem(words) => out.raw("<p>").text(words).raw("</p>\n"),
        Page::Choose(request, search) => choose(&mut out, &provider.config.residents, request, search),
    };
    out.raw("</main>\n</body>\n</html>\n");
    out.0
}

fn choose<'a>(
    out: &'a mut Html,
    residents: &[DemoResident],
    request: &AuthorizationRequest,
    search: &str,
) -> &'a mut Html {
    let found: Vec<_> = residents.iter().filter(|resident| matches(resident, search)).collect();
    let (shown, all) = (found.len().min(SHOWN), found.len());
    out.raw("<form method=\"get\" action=\"").raw(PATH).raw("/authorize\" role=\"search\">\n");
    hidden(out, request);
    out.raw("<label for=\"q\">Search by name, year of birth, NHS number or what the person has</label>\n");
    out.raw("<input id=\"q\" name=\"q\" type=\"search\" autocomplete=\"off\" spellcheck=\"false\" value=\"")
        .text(search);
    out.raw("\">\n<button type=\"submit\">Search</button>\n</form>\n<p role=\"status\">");
    match all {
        0 => out.raw("Nobody was found. Try fewer letters."),
        1 => out.raw("One person."),
        _ if shown == all => out.text(&format!("{all} people.")),
        _ => out.text(&format!("The first {shown} of {all} people. Search to find the others.")),
    };
    out.raw("</p>\n<form method=\"post\" action=\"").raw(PATH).raw("/authorize\">\n");
    hidden(out, request);
    out.raw("<ul class=\"people\">\n");
    for resident in found.into_iter().take(SHOWN) {
        out.raw("<li>\n<button type=\"submit\" name=\"sub\" value=\"").text(&resident.sub).raw("\">Sign in as ");
        out.text(&resident.given_name).raw(" ").text(&resident.family_name).raw("</button>\n<p>Born ");
        out.text(&words_of_date(&resident.birth_date)).raw(". NHS number <bdi dir=\"ltr\">");
        out.text(&groups(&resident.nhs_number)).raw("</bdi>.");
        if !resident.note.is_empty() {
            out.raw(" ").text(&resident.note);
        }
        out.raw("</p>\n</li>\n");
    }
    out.raw("</ul>\n<button class=\"plain\" type=\"submit\" name=\"cancel\" value=\"yes\">Go back without signing in</button>\n");
    out.raw("</form>\n")
}

fn hidden(out: &mut Html, request: &AuthorizationRequest) {
    for (name, value) in request.fields() {
        out.raw("<input type=\"hidden\" name=\"").raw(name).raw("\" value=\"").text(value).raw("\">\n");
    }
}

/// Whether every word of the search is somewhere in what is shown of the resident.
fn matches(resident: &DemoResident, search: &str) -> bool {
    let all = format!(
        "{} {} {} {} {} {}",
        resident.given_name,
        resident.family_name,
        resident.birth_date,
        resident.nhs_number,
        groups(&resident.nhs_number),
        resident.note
    );
    let all = all.to_lowercase();
    search.to_lowercase().split_whitespace().all(|word| all.contains(word))
}

/// An NHS number in groups of three, three and four.
fn groups(number: &str) -> String {
    match (number.get(..3), number.get(3..6), number.get(6..)) {
        (Some(first), Some(second), Some(third)) => format!("{first} {second} {third}"),
        _ => number.to_owned(),
    }
}

/// `1984-02-29` as `29 February 1984`; what is no date stays as it is.
fn words_of_date(date: &str) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let words = |date: &str| {
        let (year, rest) = date.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        let month = MONTHS.get(month.parse::<usize>().ok()?.checked_sub(1)?)?;
        Some(format!("{} {month} {year}", day.parse::<u8>().ok()?))
    };
    words(date).unwrap_or_else(|| date.to_owned())
}

/// A page in the making. Only [`Html::raw`] writes markup, and only with text from the program.
struct Html(String);

impl Html {
    fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                other => self.0.push(other),
            }
        }
        self
    }
}
