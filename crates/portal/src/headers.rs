//! The headers that every answer carries. The policy is one fixed text: no nonce to forget, one string to test.

use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response;

use crate::Portal;

/// The one line of script that a page carries itself: it tells the stylesheet that scripts run. The policy allows it by
/// its hash.
pub(crate) const INLINE_SCRIPT: &str = "document.body.className += ' js-enabled' + ('noModule' in HTMLScriptElement.prototype ? ' nhsuk-frontend-supported' : '');";
const INLINE_SCRIPT_HASH: &str = "sha256-tDOvXJi1PXbg0CWjLCCYSNHRXtps26K4JXkE3M6u/c0=";

/// The content security policy, with the provider's origin as a place that a form's answer may lead to.
pub(crate) fn content_security_policy(issuer: &str, base_url: &str) -> String {
    let provider = if origin(issuer) == origin(base_url) { String::new() } else { format!(" {}", origin(issuer)) };
    format!(
        "default-src 'none'; script-src 'self' '{INLINE_SCRIPT_HASH}'; style-src 'self'; img-src 'self' data:; \
         manifest-src 'self'; connect-src 'self'; form-action 'self'{provider}; base-uri 'none'; frame-ancestors 'none'"
    )
}

fn origin(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    url[after_scheme..].find('/').map_or(url, |slash| &url[..after_scheme + slash])
}

/// Adds the headers to an answer. What a handler set itself stays, except the policy.
pub(crate) async fn add(State(portal): State<Portal>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let fixed: [(HeaderName, &'static str); 6] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (
            HeaderName::from_static("permissions-policy"),
            "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), publickey-credentials-get=(self), usb=()",
        ),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, portal.content_security_policy());
    if portal.config().is_https() {
        let year = HeaderValue::from_static("max-age=31536000; includeSubDomains");
        headers.insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    // Pages are personal or say whether somebody is signed in, so no cache may keep any of them. Files with a hash in
    // their name say otherwise themselves.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;

    #[test]
    fn the_policy_allows_exactly_the_one_inline_script_by_its_hash() {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, INLINE_SCRIPT.as_bytes());
        let hash = base64::engine::general_purpose::STANDARD.encode(digest);
        assert_eq!(format!("sha256-{hash}"), INLINE_SCRIPT_HASH);
        let policy = content_security_policy("http://localhost:8080/demo-id", "http://localhost:8080");
        assert!(!policy.contains("unsafe") && !policy.contains('*'));
        assert!(policy.contains("form-action 'self';"));
    }

    #[test]
    fn a_form_may_lead_to_a_provider_elsewhere() {
        let policy = content_security_policy("https://id.example.org/realm", "https://keepwell.example.org");
        assert!(policy.contains("form-action 'self' https://id.example.org;"));
    }
}
