//! `/sign-out`: the session ends here and in the service, and the browser forgets what it kept (T43).

use axum::Form;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::errors::PageError;
use crate::session::Resident;
use crate::{Portal, cookies, routes};

/// The form in the header.
#[derive(Deserialize)]
pub(crate) struct SignOutForm {
    #[serde(default)]
    csrf: String,
}

/// Signs the person out.
pub(crate) async fn go(
    State(portal): State<Portal>,
    resident: Resident,
    headers: HeaderMap,
    Form(form): Form<SignOutForm>,
) -> Result<Response, PageError> {
    resident.check_form(&form.csrf)?;
    if let Some(token) = cookies::get(&headers, cookies::SESSION) {
        portal.service().sign_out(token).await?;
    }
    let mut response = Redirect::to(routes::SIGNED_OUT).into_response();
    cookies::clear(&mut response, cookies::SESSION);
    response.headers_mut().insert(
        HeaderName::from_static("clear-site-data"),
        HeaderValue::from_static("\"cache\", \"cookies\", \"storage\""),
    );
    Ok(response)
}
