//! The two cookies. Both have the `__Host-` prefix, so that no other host of the domain can set them, and neither can be
//! read by script.

use axum::http::header::{self, HeaderValue};
use axum::http::{HeaderMap, Response};

/// Carries the session.
pub(crate) const SESSION: &str = "__Host-keepwell";
/// Carries a sign-in attempt from leaving to the provider until coming back.
pub(crate) const ATTEMPT: &str = "__Host-keepwell-attempt";

/// The value of a cookie that a browser sent. A name that is sent twice is refused: somebody is up to something.
pub(crate) fn get<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value);
    let value = found.next()?;
    if found.next().is_some() { None } else { Some(value) }
}

/// Sets a cookie, for `seconds` or until the browser closes.
pub(crate) fn set<B>(response: &mut Response<B>, name: &str, value: &str, seconds: Option<u32>) {
    let age = seconds.map_or_else(String::new, |seconds| format!("; Max-Age={seconds}"));
    let cookie = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{age}");
    let cookie = HeaderValue::from_str(&cookie).expect("tokens are letters, digits, dashes and dots");
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

/// Takes a cookie away.
pub(crate) fn clear<B>(response: &mut Response<B>, name: &str) {
    set(response, name, "", Some(0));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(line: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_static(line))])
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name_and_only_if_sent_once() {
        assert_eq!(get(&sent("a=1; __Host-keepwell=x"), SESSION), Some("x"));
        assert_eq!(get(&sent("__Host-keepwell-attempt=y"), SESSION), None);
        assert_eq!(get(&sent("__Host-keepwell=x; __Host-keepwell=y"), SESSION), None);
        assert_eq!(get(&HeaderMap::new(), SESSION), None);
    }

    #[test]
    fn a_cookie_has_every_protection_there_is() {
        let mut response = Response::new(());
        set(&mut response, SESSION, "abc", None);
        assert_eq!(
            response.headers()[header::SET_COOKIE],
            "__Host-keepwell=abc; Path=/; Secure; HttpOnly; SameSite=Lax"
        );
    }
}
