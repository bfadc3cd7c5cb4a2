//! `encryption:`, how a repository is encrypted.

use super::Encryption;
use super::fields::Schema;
use super::node::Value;
use super::problems::Problems;
use super::read::Field;
use super::span::Spanned;

pub(super) const SCHEMA: Schema = Schema {
    expected: "a type or a map",
    fields: &[("type", &[]), ("key", &["kms_key", "kms-key"])],
    unsupported: &[],
};

/// The encryption as one place of the file gives it.
#[derive(Debug, Clone, Default)]
pub(super) struct EncryptionPart {
    kind: Option<Kind>,
    key: Option<Spanned<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Aes256,
    Kms,
    KmsDsse,
}

impl EncryptionPart {
    /// Reads a type, or a map.
    pub fn read(field: &Field<'_>, problems: &mut Problems) -> Self {
        if matches!(field.node.value, Value::Text(_)) {
            return EncryptionPart { kind: kind(field, problems), key: None };
        }
        let Some(fields) = SCHEMA.read(field, problems) else { return Self::default() };
        let key = fields
            .get("key")
            .and_then(|field| field.owned(problems).map(|value| Spanned { value, span: field.span() }));
        let kind = fields.read("type", problems, kind);
        // What a key means beside a type that has been refused already, nobody knows.
        let known = kind.is_some() || fields.get("type").is_none();
        EncryptionPart { kind, key: key.filter(|_| known) }
    }

    /// This part, with the other for whatever it leaves open. A key goes with its type: another type drops it.
    #[must_use]
    pub fn over(self, base: Self) -> Self {
        let same = self.kind.is_none() || self.kind == base.kind;
        EncryptionPart { kind: self.kind.or(base.kind), key: self.key.or(base.key.filter(|_| same)) }
    }

    /// Whether a type is given.
    pub fn is_stated(&self) -> bool {
        self.kind.is_some()
    }

    /// The encryption; a key needs a type that takes one.
    pub fn finish(self, problems: &mut Problems) -> Encryption {
        let key = self.key.as_ref().map(|key| key.value.clone());
        match (self.kind, self.key) {
            (Some(Kind::Kms), _) => Encryption::Kms { key },
            (Some(Kind::KmsDsse), _) => Encryption::KmsDsse { key },
            (Some(Kind::Aes256) | None, None) => Encryption::Aes256,
            (Some(Kind::Aes256) | None, Some(key)) => {
                let message = format!("the key `{}` belongs to an encryption by KMS", key.value);
                problems.error_with_hint(key.span, message, "write `type: KMS` beside it");
                Encryption::Aes256
            }
        }
    }
}

fn kind(field: &Field<'_>, problems: &mut Problems) -> Option<Kind> {
    let text = field.text(problems)?;
    match text.to_ascii_uppercase().as_str() {
        "AES256" => Some(Kind::Aes256),
        "KMS" => Some(Kind::Kms),
        "KMS_DSSE" => Some(Kind::KmsDsse),
        _ => {
            let message = format!("`{}` must be `AES256`, `KMS` or `KMS_DSSE`, not `{text}`", field.path);
            problems.error(field.span(), message);
            None
        }
    }
}
