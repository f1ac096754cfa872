//! Why the proxy itself answers a request, as a table: its name, its HTTP status, Discord's code.

use http::StatusCode;

macro_rules! table {
    ($($variant:ident $name:literal $status:ident $code:literal $doc:literal;)*) => {
        /// Why the proxy answers a request itself instead of Discord. Its name stands in the answer's body, under
        /// `shardkeep.reason`, and labels the counter of refusals.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        #[repr(usize)]
        pub enum Reason {
            $(#[doc = $doc] $variant,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The HTTP status it is answered with.
            #[must_use]
            pub const fn status(self) -> StatusCode {
                match self {
                    $(Self::$variant => StatusCode::$status,)*
                }
            }

            /// The `code` in the answer's body: Discord's where Discord has one for it, else 0.
            #[must_use]
            pub const fn code(self) -> u32 {
                match self {
                    $(Self::$variant => $code,)*
                }
            }
        }
    };
}

table! {
    Unauthorized "unauthorized" UNAUTHORIZED 0 "The proxy's key is missing or wrong.";
    FromBrowser "from_browser" FORBIDDEN 0 "A web page asks an open proxy.";
    NoSuchPath "no_such_path" NOT_FOUND 0 "The path is neither Discord's nor the proxy's.";
    NoSuchMethod "no_such_method" METHOD_NOT_ALLOWED 0 "Discord has no such method, or this path has not.";
    BadHeader "bad_header" BAD_REQUEST 0 "A header for the proxy cannot be read.";
    BadRequest "bad_request" BAD_REQUEST 0 "The path cannot be sent to Discord.";
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE 40_005 "The body is longer than the proxy takes.";
    BodyTimeout "body_timeout" REQUEST_TIMEOUT 0 "The client stopped sending its body.";
    BodyBroken "body_broken" BAD_REQUEST 0 "The body cannot be read.";
    UploadsFull "uploads_full" SERVICE_UNAVAILABLE 0 "As many large bodies are under way as may be.";
    IdentitiesFull "identities_full" SERVICE_UNAVAILABLE 0 "As many tokens are in use as may be.";
    QueueFull "queue_full" SERVICE_UNAVAILABLE 0 "The queue is full.";
    DeadlineTooSoon "deadline_too_soon" GATEWAY_TIMEOUT 0 "It could not be sent before its deadline.";
    DeadlinePassed "deadline_passed" GATEWAY_TIMEOUT 0 "Its deadline passed while it waited.";
    Cancelled "cancelled" SERVICE_UNAVAILABLE 0 "It was given up.";
    TokenRejected "token_rejected" UNAUTHORIZED 0 "Discord refused the token before (401).";
    WebhookGone "webhook_gone" NOT_FOUND 10_015 "Discord does not know the webhook (404 before).";
    Quarantined "quarantined" TOO_MANY_REQUESTS 0 "It belongs to what causes most invalid requests.";
    InvalidBudgetSpent "invalid_budget_spent" TOO_MANY_REQUESTS 0 "One more invalid request could ban the address.";
    Unreachable "unreachable" BAD_GATEWAY 0 "No connection to Discord: it was not sent.";
    Unanswered "unanswered" BAD_GATEWAY 0 "The connection broke before Discord's answer.";
    Timeout "timeout" GATEWAY_TIMEOUT 0 "Discord did not answer in time.";
    Stopping "stopping" SERVICE_UNAVAILABLE 0 "The proxy is shutting down.";
    Failed "failed" INTERNAL_SERVER_ERROR 0 "The proxy could not do it.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_and_count_from_zero() {
        let mut names: Vec<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
        for (index, reason) in Reason::ALL.iter().enumerate() {
            assert_eq!(*reason as usize, index);
        }
    }
}
