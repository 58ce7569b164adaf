//! Where a bucket is, and who asks for what is in it.

use std::fmt;

use object_store::path::Path;

/// The region that is told where nobody says one; most stores other than Amazon's take any.
const REGION: &str = "us-east-1";
/// Longest folder in a bucket, in bytes: keys of a bucket have 1,024 at most, the folder included.
const PREFIX_BYTES_MAX: usize = 64;

/// A bucket of an S3-compatible store, with what is needed to use it.
#[derive(Clone, PartialEq, Eq)]
pub struct S3Place {
    /// The bucket's name.
    pub bucket: String,
    /// The folder in it that everything lies under; empty for the whole bucket.
    pub prefix: String,
    /// The store's address, such as `https://s3.example.com`; none for Amazon's.
    pub endpoint: Option<String>,
    /// Its region.
    pub region: String,
    /// The id of the access key.
    pub key_id: String,
    /// The secret of the access key. `Debug` leaves it out.
    pub secret: String,
}

/// Why an address is no bucket's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// It does not begin with `s3://`.
    #[error("storage is not s3://BUCKET or s3://BUCKET/FOLDER")]
    Scheme,
    /// The name of a bucket has 3 to 63 lower-case letters, digits, points and hyphens.
    #[error("the name of the bucket is not right")]
    Bucket,
    /// The folder has an empty part, `.`, `..` or a control character, or is too long.
    #[error("the folder in the bucket is not right")]
    Prefix,
    /// The address of the store is no `http://` or `https://` address.
    #[error("the address of the store is not http:// or https://")]
    Endpoint,
    /// One half of the access key is missing.
    #[error("the id or the secret of the access key is missing")]
    Key,
}

impl S3Place {
    /// Reads `s3://bucket/folder`. Says nothing about whether the bucket is there.
    ///
    /// # Errors
    /// [`PlaceError`] says what is wrong.
    pub fn parse(
        address: &str,
        endpoint: Option<String>,
        region: Option<String>,
        (key_id, secret): (String, String),
    ) -> Result<Self, PlaceError> {
        let rest = address.strip_prefix("s3://").ok_or(PlaceError::Scheme)?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_word =
            |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || b".-".contains(&it);
        if !(3..=63).contains(&bucket.len()) || !bucket.bytes().all(is_word) {
            return Err(PlaceError::Bucket);
        }
        let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
        if prefix.len() > PREFIX_BYTES_MAX
            || prefix.starts_with('/')
            || Path::parse(prefix).is_err()
        {
            return Err(PlaceError::Prefix);
        }
        let is_web = |it: &String| it.starts_with("http://") || it.starts_with("https://");
        if endpoint.as_ref().is_some_and(|it| !is_web(it)) {
            return Err(PlaceError::Endpoint);
        }
        if key_id.is_empty() || secret.is_empty() {
            return Err(PlaceError::Key);
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            endpoint: endpoint.map(|it| it.trim_end_matches('/').to_owned()),
            region: region.unwrap_or_else(|| REGION.to_owned()),
            key_id,
            secret,
        })
    }

    /// Whether the store is spoken to without TLS.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.endpoint.as_ref().is_some_and(|it| it.starts_with("http://"))
    }
}

impl fmt::Debug for S3Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "S3Place({self})")
    }
}

impl fmt::Display for S3Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "s3://{}/{}", self.bucket, self.prefix)?;
        match &self.endpoint {
            // Somebody may have written a name and a password into it.
            Some(endpoint) => {
                write!(out, " at {}", endpoint.rsplit('@').next().unwrap_or_default())
            }
            None => write!(out, " in {}", self.region),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(address: &str, endpoint: Option<&str>) -> Result<S3Place, PlaceError> {
        let key = ("AKID".to_owned(), "hush".to_owned());
        S3Place::parse(address, endpoint.map(str::to_owned), None, key)
    }

    #[test]
    fn bucket_and_folder_are_read() {
        let place = parsed("s3://photos/our/home/", Some("http://127.0.0.1:9000/")).unwrap();
        assert_eq!((place.bucket.as_str(), place.prefix.as_str()), ("photos", "our/home"));
        assert_eq!(place.endpoint.as_deref(), Some("http://127.0.0.1:9000"));
        assert!(place.is_plain());
        assert_eq!(parsed("s3://photos", None).unwrap().prefix, "");
    }

    #[test]
    fn what_is_no_bucket_is_refused() {
        for (address, endpoint, error) in [
            ("/data", None, PlaceError::Scheme),
            ("s3://", None, PlaceError::Bucket),
            ("s3://Photos", None, PlaceError::Bucket),
            ("s3://photos//a", None, PlaceError::Prefix),
            ("s3://photos/../a", None, PlaceError::Prefix),
            ("s3://photos", Some("store:9000"), PlaceError::Endpoint),
        ] {
            assert_eq!(parsed(address, endpoint).unwrap_err(), error, "{address}");
        }
        let no_secret = ("AKID".to_owned(), String::new());
        let refused = S3Place::parse("s3://photos", None, None, no_secret);
        assert_eq!(refused.unwrap_err(), PlaceError::Key);
    }

    #[test]
    fn secret_is_not_told() {
        let place = parsed("s3://photos/a", Some("http://anna:hush@store")).unwrap();
        for told in [format!("{place}"), format!("{place:?}")] {
            assert!(told.contains("photos") && !told.contains("hush"), "{told}");
        }
    }
}
