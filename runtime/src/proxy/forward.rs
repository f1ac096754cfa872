//! The transport behind the proxy: each request brings its own `Authorization`.

use std::sync::Arc;

use http::{HeaderValue, header};

use crate::rest::{Exchange, Http1, Outgoing, Transport};

/// [`Http1`], but for whose token is sent: that of the request's client. What the client's table of identities holds
/// are stand-ins, so that no token outlives its request.
pub(super) struct Forward(pub(super) Http1);

impl Transport for Forward {
    fn exchange(&self, request: Arc<Outgoing>, _stand_in: Option<HeaderValue>) -> Exchange {
        let authorization = request.headers.get(header::AUTHORIZATION).cloned();
        self.0.exchange(request, authorization)
    }
}
