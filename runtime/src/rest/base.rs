//! Where the API is: scheme, host and the path that every path is appended to.

use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use http::uri::{Authority, PathAndQuery, Scheme, Uri};
use rustls::pki_types::ServerName;

use super::error::RestError;
use super::settings::StartError;

/// A base address, taken apart.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Base {
    is_tls: bool,
    authority: Authority,
    /// Without a slash at its end.
    prefix: String,
    host: HeaderValue,
    name: ServerName<'static>,
}

impl Base {
    pub(crate) fn parse(url: &str) -> Result<Self, StartError> {
        let wrong = || StartError::Base;
        let parts = url.parse::<Uri>().map_err(|_| wrong())?.into_parts();
        let is_tls = match &parts.scheme {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(wrong()),
        };
        let authority = parts.authority.ok_or_else(wrong)?;
        if authority.as_str().contains('@') {
            return Err(wrong());
        }
        let prefix = match parts.path_and_query {
            Some(path) if path.query().is_some() => return Err(wrong()),
            Some(path) => path.path().trim_end_matches('/').to_owned(),
            None => String::new(),
        };
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| wrong())?;
        let bare = authority.host().trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(bare).map_err(|_| wrong())?;
        Ok(Self {
            is_tls,
            authority,
            prefix,
            host,
            name,
        })
    }

    /// Host and port to connect to.
    pub(crate) fn address(&self) -> (&str, u16) {
        let port = self
            .authority
            .port_u16()
            .unwrap_or(if self.is_tls { 443 } else { 80 });
        (self.authority.host().trim_matches(['[', ']']), port)
    }

    pub(crate) fn host_header(&self) -> HeaderValue {
        self.host.clone()
    }

    /// Whom the certificate must name; `None` for plain HTTP.
    pub(crate) fn tls_name(&self) -> Option<ServerName<'static>> {
        self.is_tls.then(|| self.name.clone())
    }

    /// The whole path of a request whose path below the base is `path`.
    pub(crate) fn target(&self, path: &str) -> Result<PathAndQuery, RestError> {
        let mut whole = String::with_capacity(self.prefix.len() + path.len());
        whole.push_str(&self.prefix);
        whole.push_str(path);
        PathAndQuery::from_maybe_shared(Bytes::from(whole)).map_err(|_| {
            RestError::bad_request("the path holds a character that no path has: percent-encode it")
        })
    }
}

impl fmt::Debug for Base {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "https" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.prefix)
    }
}
