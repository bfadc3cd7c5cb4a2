//! Services of a Compose file.

use serde_json::Value;

use super::{Draft, DraftImage, yaml};

/// Takes over every service that is built. Its fields are those of a pipeline file.
pub(super) fn read(path: &str, text: &str, draft: &mut Draft) {
    let Some(file) = yaml::read(text) else {
        return draft.leave_out(format!("{path}: it cannot be read as YAML"));
    };
    let services = file.get("services").and_then(Value::as_object);
    for (name, service) in services.into_iter().flatten() {
        let Some(build) = service.get("build") else { continue };
        let mut image = DraftImage::new(name, format!("service `{name}` of {path}"));
        match build {
            Value::String(context) => image.build.push(("context".to_owned(), Value::from(context.as_str()))),
            Value::Object(fields) => {
                let fields = fields.iter().filter(|(field, _)| *field != "tags");
                image.build = fields.map(|(field, value)| (field.clone(), value.clone())).collect();
            }
            _ => continue,
        }
        for (_, value) in image.build.iter_mut().filter(|(field, _)| field == "context") {
            if let Some(context) =
                value.as_str().and_then(|context| context.strip_prefix("./")).filter(|rest| !rest.is_empty())
            {
                *value = Value::from(context.to_owned());
            }
        }
        if let Some(reference) = service.get("image").and_then(Value::as_str) {
            draft.note(&mut image, reference);
        }
        draft.add_with_variables(image);
    }
    if let Some(secrets) = file.get("secrets").filter(|secrets| secrets.is_object()) {
        draft.add_secrets(path, secrets);
    }
}
