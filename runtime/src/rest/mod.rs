//! REST: requests as Discord's limits allow.

mod api_error;
mod base;
mod blocking;
mod body;
mod calls;
mod client;
mod driver;
mod error;
mod events;
mod face;
mod hints;
mod http1;
mod inbox;
mod multipart;
mod percent;
mod request;
mod response;
mod settings;
mod transport;

pub use api_error::{ApiError, FieldError};
pub use body::{Body, Progress};
pub use client::{Client, Pending, RawRequest};
pub use driver::Driver;
pub use error::RestError;
pub use events::Events;
pub use face::Rest;
pub use http1::Http1;
pub use request::Request;
pub use response::Response;
pub use settings::{Settings, StartError};
pub use transport::{Answer, Exchange, Outgoing, Transport, TransportError};
