//! The images of a repository, as far as a policy asks about them.

use serde::{Deserialize, Deserializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::media_type::MediaType;

/// A moment, in microseconds since 1970: ECR tells milliseconds, and of 100,000 images there are four times as many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(i64);

impl Moment {
    /// The moment that many days of 24 hours later.
    #[must_use]
    pub fn after_days(self, days: i64) -> Self {
        const DAY: i64 = 24 * 60 * 60 * 1_000_000;
        Moment(self.0.saturating_add(DAY.saturating_mul(days)))
    }

    /// RFC 3339, in UTC.
    pub fn text(self) -> String {
        let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1000).ok();
        time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_else(|| self.0.to_string())
    }

    /// Reads RFC 3339 with any offset.
    pub fn parse(text: &str) -> Option<Self> {
        OffsetDateTime::parse(text.trim(), &Rfc3339).ok().map(Moment::from)
    }

    /// Seconds since 1970 with their fraction, to the microsecond: a double holds no more of today's times.
    pub fn from_seconds(seconds: f64) -> Option<Self> {
        const LIMIT: f64 = 1e11;
        (seconds.is_finite() && seconds.abs() < LIMIT).then(|| Moment((seconds * 1e6).round() as i64))
    }
}

impl From<OffsetDateTime> for Moment {
    fn from(time: OffsetDateTime) -> Self {
        // Years have four digits, so that it always fits.
        Moment(i64::try_from(time.unix_timestamp_nanos().div_euclid(1000)).unwrap_or(i64::MAX))
    }
}

impl<'de> Deserialize<'de> for Moment {
    /// As the versions of the AWS CLI print it: RFC 3339, or seconds since 1970.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Moment;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a time as RFC 3339 or in seconds since 1970")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Moment, E> {
                Moment::parse(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
            }

            fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<Moment, E> {
                Moment::from_seconds(seconds)
                    .ok_or_else(|| E::invalid_value(serde::de::Unexpected::Float(seconds), &self))
            }

            fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Moment, E> {
                self.visit_f64(seconds as f64)
            }

            fn visit_u64<E: serde::de::Error>(self, seconds: u64) -> Result<Moment, E> {
                self.visit_f64(seconds as f64)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Where an image is. Source: ECR API model, `ImageStatus`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ImageState {
    /// In the standard storage.
    #[default]
    Active,
    /// In the archive.
    Archived,
    /// On its way back from there; of neither storage class until it has arrived.
    Activating,
}

/// An image, as DescribeImages tells of it. Source: ECR API model, `ImageDetail`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an image, as an object")]
pub struct Image {
    /// Its digest.
    #[serde(rename = "imageDigest")]
    pub digest: String,
    /// Its tags.
    #[serde(rename = "imageTags", default, deserialize_with = "null_is_default")]
    pub tags: Vec<String>,
    /// When it was pushed.
    #[serde(rename = "imagePushedAt")]
    pub pushed_at: Moment,
    /// When it was last pulled, as far as that was recorded.
    #[serde(rename = "lastRecordedPullTime", default)]
    pub pulled_at: Option<Moment>,
    /// When it was last archived.
    #[serde(rename = "lastArchivedAt", default)]
    pub archived_at: Option<Moment>,
    /// When it was last brought back from the archive.
    #[serde(rename = "lastActivatedAt", default)]
    pub activated_at: Option<Moment>,
    /// Where it is.
    #[serde(rename = "imageStatus", default, deserialize_with = "null_is_default")]
    pub state: ImageState,
    /// In bytes; for an index that of its largest child.
    #[serde(rename = "imageSizeInBytes", default)]
    pub size: Option<u64>,
    /// The media type of its manifest.
    #[serde(rename = "imageManifestMediaType", default)]
    pub media_type: Option<MediaType>,
    /// The image that it is about, if it is a signature or the like.
    #[serde(rename = "subjectManifestDigest", default)]
    pub subject: Option<String>,
    /// The images that it lists, if it is an index. DescribeImages does not tell; it takes the manifest.
    #[serde(default, deserialize_with = "null_is_default")]
    pub children: Vec<String>,
}

fn null_is_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

impl Image {
    /// What `imageCountMoreThan` ranks by and `sinceImagePushed` counts from.
    pub(super) fn pushed_clock(&self) -> Moment {
        self.activated_at.unwrap_or(self.pushed_at)
    }

    /// What `sinceImagePulled` counts from.
    pub(super) fn pulled_clock(&self) -> Moment {
        match (self.pulled_at, self.activated_at) {
            (Some(pulled), Some(activated)) => pulled.max(activated),
            (Some(pulled), None) => pulled,
            (None, Some(activated)) => activated,
            (None, None) => self.pushed_at,
        }
    }

    /// Whether it lists other images, as far as its media type or its children tell.
    pub fn is_index(&self) -> bool {
        !self.children.is_empty() || self.media_type.as_ref().is_some_and(MediaType::is_index)
    }
}

/// What `aws ecr describe-images` prints, or the bare list of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Images(pub Vec<Image>);

/// Why a text is no list of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalformedImages {
    /// What is wrong.
    pub cause: String,
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1.
    pub column: usize,
}

impl Images {
    /// Reads JSON.
    ///
    /// # Errors
    /// If it is none, or an entry lacks its digest or the time of its push, or a digest comes twice.
    pub fn parse(text: &str) -> Result<Self, MalformedImages> {
        #[derive(Deserialize)]
        #[serde(expecting = "an object with `imageDetails`")]
        struct Answer {
            #[serde(rename = "imageDetails")]
            image_details: Vec<Image>,
        }
        let is_list = text.trim_start().starts_with('[');
        let read = if is_list {
            serde_json::from_str(text)
        } else {
            serde_json::from_str::<Answer>(text).map(|answer| answer.image_details)
        };
        let images = read.map_err(|error| {
            let (words, place) = (error.to_string(), format!(" at line {} column {}", error.line(), error.column()));
            let cause = words.strip_suffix(&place).unwrap_or(&words).to_owned();
            MalformedImages { cause, line: error.line(), column: error.column() }
        })?;
        let mut seen = std::collections::HashSet::with_capacity(images.len());
        if let Some(twice) = images.iter().find(|image: &&Image| !seen.insert(image.digest.as_str())) {
            let cause = format!("image `{}` comes twice", twice.digest);
            return Err(MalformedImages { cause, line: 1, column: 1 });
        }
        Ok(Images(images))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_every_cli() {
        let read = |text: &str| serde_json::from_str::<Moment>(text).map(Moment::text).ok();
        for (text, expected) in [
            ("1700000000", "2023-11-14T22:13:20Z"),
            ("1700000000.123", "2023-11-14T22:13:20.123Z"),
            ("\"2023-11-15T07:13:20+09:00\"", "2023-11-14T22:13:20Z"),
            ("\"2023-11-14T22:13:20.123000-00:00\"", "2023-11-14T22:13:20.123Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["\"yesterday\"", "\"2023-11-14\"", "true", "1e300"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn what_describe_images_prints() {
        let one =
            r#"{"registryId": "1", "imageDigest": "sha256:a", "imagePushedAt": 1.5, "imageTags": null, "x": [1]}"#;
        let bare = Images::parse(&format!("[{one}]")).unwrap();
        assert_eq!(Images::parse(&format!("{{\"imageDetails\": [{one}]}}")).as_ref(), Ok(&bare));
        assert_eq!((bare.0[0].state, bare.0[0].tags.len()), (ImageState::Active, 0));
        assert_eq!(Images::parse(&format!("[{one}, {one}]")).unwrap_err().cause, "image `sha256:a` comes twice");
        let missing = Images::parse("[\n{\"imageDigest\": \"sha256:a\"}]").unwrap_err();
        assert_eq!((missing.line, missing.cause.as_str()), (2, "missing field `imagePushedAt`"));
    }
}
