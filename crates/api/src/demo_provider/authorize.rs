//! `/authorize`: the page on which a visitor chooses whom to be, and the choice.

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::page::{self, Page};
use super::request::{AuthorizationRequest, Parameters, Refused};
use super::state::{Provider, Shared};

type Pairs = Vec<(String, String)>;

const UNREADABLE: Refused = Refused::Page("The address or the form cannot be read. Go back and start again.");

/// Shows the page.
pub(super) async fn show(State(provider): State<Shared>, query: Result<Query<Pairs>, QueryRejection>) -> Response {
    let read = query.ok().and_then(|Query(pairs)| Parameters::new(pairs)).ok_or(UNREADABLE).and_then(|parameters| {
        let request = AuthorizationRequest::read(&provider, &parameters)?;
        Ok((request, parameters.get("q").unwrap_or_default().to_owned()))
    });
    match read {
        Ok((request, search)) => html(&provider, StatusCode::OK, Page::Choose(&request, &search)),
        Err(refused) => refuse(&provider, refused),
    }
}

/// Takes the choice.
pub(super) async fn choose(State(provider): State<Shared>, form: Result<Form<Pairs>, FormRejection>) -> Response {
    let read = form.ok().and_then(|Form(pairs)| Parameters::new(pairs)).ok_or(UNREADABLE).and_then(|parameters| {
        let request = AuthorizationRequest::read(&provider, &parameters)?;
        let Some(sub) = parameters.get("sub") else {
            return Err(Refused::Back("access_denied", "nobody was chosen", Some(request.state)));
        };
        let resident = provider.config.residents.iter().find(|resident| resident.sub == sub);
        let resident = resident.ok_or(Refused::Page("There is no such person. Go back and choose another."))?;
        Ok((provider.grant(resident, &request), request))
    });
    match read {
        Ok((code, request)) => back(&provider, &[("code", &code), ("state", &request.state)]),
        Err(refused) => refuse(&provider, refused),
    }
}

fn refuse(provider: &Provider, refused: Refused) -> Response {
    match refused {
        Refused::Page(words) => html(provider, StatusCode::BAD_REQUEST, Page::Problem(words)),
        Refused::Back(code, words, state) => {
            let mut fields = vec![("error", code), ("error_description", words)];
            if let Some(state) = &state {
                fields.push(("state", state));
            }
            back(provider, &fields)
        }
    }
}

/// Sends the browser back to the relying party, always to the one address that is registered.
fn back(provider: &Provider, fields: &[(&str, &str)]) -> Response {
    let mut address = provider.redirect_uri();
    let issuer = provider.issuer();
    for (index, (name, value)) in fields.iter().chain([&("iss", issuer.as_str())]).enumerate() {
        address.push(if index == 0 { '?' } else { '&' });
        address.push_str(name);
        address.push('=');
        address.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    ([(header::CACHE_CONTROL, "no-store"), (header::REFERRER_POLICY, "no-referrer")], Redirect::to(&address))
        .into_response()
}

fn html(provider: &Provider, status: StatusCode, page: Page<'_>) -> Response {
    let text = page::render(provider, page);
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::X_FRAME_OPTIONS, "DENY".to_owned()),
        (header::CONTENT_SECURITY_POLICY, page::content_security_policy(&provider.config.base_url)),
    ];
    (status, headers, text).into_response()
}
