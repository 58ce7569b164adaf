//! Why an object store did not do something, in words that hold no name of a blob: its own messages hold
//! addresses, and the keys in them may be of people's words.

use std::error::Error;

use object_store::client::{HttpError, HttpErrorKind};

/// Longest code of an error that is told, in characters.
const CODE_CHARS_MAX: usize = 64;
/// S3's words for a bucket that is not there, and for what an access key may not do.
const NO_BUCKET: &str = "NoSuchBucket";
const DENIALS: [&str; 3] = ["AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"];
/// Its words for requests that it will not take another time either.
const REFUSALS: [&str; 6] = [
    "AuthorizationHeaderMalformed",
    "InvalidBucketName",
    "InvalidRequest",
    "KeyTooLongError",
    "MethodNotAllowed",
    "PermanentRedirect",
];

/// Why an object store did not do something. None of these says anything about the blob.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Outage {
    /// No connection could be made, or it broke off.
    #[error("the object store cannot be reached")]
    Unreachable,
    /// No answer came in time.
    #[error("the object store did not answer in time")]
    TimedOut,
    /// The access key may not do that, or is not known.
    #[error("the object store denies access{}", told(.code.as_ref()))]
    Denied {
        /// The store's own word for it.
        code: Option<String>,
    },
    /// The bucket is not there.
    #[error("the bucket is not there")]
    NoBucket,
    /// It answered with an error.
    #[error("the object store answered with an error{}", told(.code.as_ref()))]
    Answered {
        /// The store's own word for it.
        code: Option<String>,
    },
    /// The blob was written to while it was read.
    #[error("the blob changed while it was read")]
    Changed,
    /// There is no room in the place where blobs are fetched to.
    #[error("there is no room to fetch the blob to")]
    NoRoom,
}

impl Outage {
    /// Whether the store would say the same another time, until somebody changes the key, the bucket or the
    /// configuration.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Denied { .. } | Self::NoBucket => true,
            Self::Answered { code: Some(code) } => REFUSALS.contains(&code.as_str()),
            Self::Answered { code: None }
            | Self::Changed
            | Self::NoRoom
            | Self::TimedOut
            | Self::Unreachable => false,
        }
    }

    /// Reads what the client says.
    pub(crate) fn of(error: &object_store::Error) -> Self {
        let text = error.to_string();
        match error {
            object_store::Error::Precondition { .. } => return Self::Changed,
            object_store::Error::PermissionDenied { .. }
            | object_store::Error::Unauthenticated { .. } => {
                return Self::Denied { code: code_of(&text) };
            }
            object_store::Error::NotFound { .. } => return Self::NoBucket,
            _ => {}
        }
        let mut cause: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = cause {
            if let Some(http) = error.downcast_ref::<HttpError>() {
                return match http.kind() {
                    HttpErrorKind::Timeout => Self::TimedOut,
                    _ => Self::Unreachable,
                };
            }
            cause = error.source();
        }
        // What the client says of a list has no kind of its own.
        match code_of(&text) {
            Some(code) if code == NO_BUCKET => Self::NoBucket,
            code if code.as_deref().is_some_and(|code| DENIALS.contains(&code)) => {
                Self::Denied { code }
            }
            code => Self::Answered { code },
        }
    }
}

fn told(code: Option<&String>) -> String {
    code.map(|code| format!(" ({code})")).unwrap_or_default()
}

/// The code that S3's error documents carry: one word, never a name.
fn code_of(told: &str) -> Option<String> {
    let (code, _) = told.split_once("<Code>")?.1.split_once("</Code>")?;
    let is_word = code.len() <= CODE_CHARS_MAX && code.bytes().all(|it| it.is_ascii_alphanumeric());
    is_word.then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_pass_is_told_from_what_somebody_has_to_mend() {
        let answered = |code: &str| Outage::Answered { code: Some(code.to_owned()) };
        for passing in [
            Outage::Unreachable,
            Outage::TimedOut,
            Outage::NoRoom,
            Outage::Changed,
            Outage::Answered { code: None },
            answered("SlowDown"),
            answered("InternalError"),
            answered("ServiceUnavailable"),
        ] {
            assert!(!passing.is_refusal(), "{passing}");
        }
        for refusal in
            [Outage::Denied { code: None }, Outage::NoBucket, answered("InvalidBucketName")]
        {
            assert!(refusal.is_refusal(), "{refusal}");
        }
    }

    #[test]
    fn only_the_word_of_an_error_is_told() {
        let source = "PUT http://store/photos/library/library/Anna/beach.jpg: 403 \
                      <Error><Code>AccessDenied</Code><Resource>/Anna/beach.jpg</Resource></Error>";
        let error =
            object_store::Error::PermissionDenied { path: "Anna".into(), source: source.into() };
        let told = Outage::of(&error).to_string();
        assert_eq!(told, "the object store denies access (AccessDenied)");
        let told = |source: &'static str| {
            Outage::of(&object_store::Error::Generic { store: "S3", source: source.into() })
        };
        assert_eq!(told("Anna <Code>a/b</Code>"), Outage::Answered { code: None });
        assert_eq!(told("Anna <Code>NoSuchBucket</Code>"), Outage::NoBucket);
        let code = Some("AccessDenied".to_owned());
        assert_eq!(told("Anna <Code>AccessDenied</Code>"), Outage::Denied { code });
    }
}
