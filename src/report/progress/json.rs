//! One event a line, as JSON, for programs that show or keep what happens. Fields are only ever added.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::scan::scan_words;
use crate::execute::events::{BuildEvent, Event, ImageEvent, PushEvent, ScanEvent};
use crate::names::RegistryHost;
use crate::report::signing;
use crate::retry::Retry;

/// The event at this time after the work began.
pub(super) fn line(at: Duration, event: &Event) -> String {
    let mut line = Map::new();
    line.insert("at".to_owned(), seconds(at));
    let (image, fields) = match event {
        Event::RepositoryCreated { name, replica } => {
            (None, of("repository_created", json!({ "repository": name, "replica": replica })))
        }
        Event::RepositoryChanged { name, setting, replica } => {
            (None, of("repository_changed", json!({ "repository": name, "setting": setting, "replica": replica })))
        }
        Event::RepositoryThereAlready { name, replica } => {
            (None, of("repository_there", json!({ "repository": name, "replica": replica })))
        }
        Event::Retried(Retry { doing, cause, attempt, wait }) => {
            let wait = seconds(*wait);
            (None, of("retried", json!({ "doing": doing, "cause": cause, "attempt": attempt, "wait_seconds": wait })))
        }
        Event::Image(image, event) => (Some(image), image_event(event)),
    };
    line.extend(image.map(|image| ("image".to_owned(), json!(image))));
    line.extend(fields.into_iter().filter(|(_, value)| !value.is_null()));
    Value::Object(line).to_string()
}

fn image_event(event: &ImageEvent) -> Map<String, Value> {
    match event {
        ImageEvent::Build(event) => build_event(event),
        ImageEvent::Built { id, took } => of("built", json!({ "id": id, "seconds": seconds(*took) })),
        ImageEvent::Push(event) => push_event(*event),
        ImageEvent::Pushed { reference, digest, took } => {
            of("pushed", json!({ "reference": reference, "digest": digest, "seconds": seconds(*took) }))
        }
        ImageEvent::Assembled { reference, digest, images } => {
            of("assembled", json!({ "reference": reference, "digest": digest, "images": images }))
        }
        ImageEvent::Scan(event) => scan_event(event),
        ImageEvent::AwaitingSignature => of("awaiting_signature", json!({})),
        ImageEvent::Signed { by, took } => of("signed", json!({ "profiles": by, "seconds": seconds(*took) })),
        ImageEvent::Signatures(all) => of("signatures", json!({ "signatures": signing::json(all) })),
        ImageEvent::SigningUnknown(cause) => of("signing_unknown", json!({ "cause": cause })),
        ImageEvent::Adopted(digest) => of("adopted", json!({ "digest": digest })),
        ImageEvent::Seeded { base, there, sent, bytes, took } => {
            let took = seconds(*took);
            of("seeded", json!({ "base": base, "there": there, "sent": sent, "sent_bytes": bytes, "seconds": took }))
        }
        ImageEvent::Road(choice) => of("road", json!({ "by": choice.by, "why": choice.why })),
        ImageEvent::NotSeeded(cause) => of("not_seeded", json!({ "cause": cause })),
        ImageEvent::CacheLost(cause) => of("cache_lost", json!({ "cause": cause })),
        ImageEvent::RecordLost(cause) => of("record_lost", json!({ "cause": cause })),
        ImageEvent::Tagged { tag, before, replica } => {
            of("tagged", json!({ "tag": tag, "before": before, "replica": replica }))
        }
        ImageEvent::TaggedAlready { tag, replica } => tagged_already(tag.as_str(), replica.as_ref()),
        ImageEvent::AwaitingReplication { registry } => of("awaiting_replication", json!({ "registry": registry })),
        ImageEvent::Replicated { registry, digest, took } => {
            of("replicated", json!({ "registry": registry, "digest": digest, "seconds": seconds(*took) }))
        }
        ImageEvent::NotReplicated { registry, why } => {
            of("not_replicated", json!({ "registry": registry, "why": why }))
        }
        ImageEvent::Copied { reference, digest, sent, took } => {
            let took = seconds(*took);
            of("copied", json!({ "reference": reference, "digest": digest, "sent_bytes": sent, "seconds": took }))
        }
    }
}

fn tagged_already(tag: &str, replica: Option<&RegistryHost>) -> Map<String, Value> {
    of("tagged_already", json!({ "tag": tag, "replica": replica }))
}

fn build_event(event: &BuildEvent) -> Map<String, Value> {
    match event {
        BuildEvent::ContextSent { sent, total } => {
            of("context_sent", json!({ "sent_bytes": sent, "total_bytes": total }))
        }
        BuildEvent::StepStarted { step, name } => of("step_started", json!({ "step": step, "name": name })),
        BuildEvent::StepOutput { step, line } => of("step_output", json!({ "step": step, "line": line })),
        BuildEvent::StepDone { step, cached, took } => {
            of("step_done", json!({ "step": step, "cached": cached, "seconds": took.map(seconds) }))
        }
        BuildEvent::Warning(text) => of("warning", json!({ "text": text })),
    }
}

fn scan_event(event: &ScanEvent) -> Map<String, Value> {
    let text = scan_words(event);
    match event {
        ScanEvent::Started { platform, .. } => of("scan_started", json!({ "platform": platform, "text": text })),
        ScanEvent::Waiting { platform, .. } => of("scan_waiting", json!({ "platform": platform, "text": text })),
        ScanEvent::Judged { open, blocking, .. } => {
            of("scan_judged", json!({ "open": open, "blocking": blocking, "text": text }))
        }
    }
}

fn push_event(event: PushEvent) -> Map<String, Value> {
    match event {
        PushEvent::LayerFound => of("layer_found", json!({})),
        PushEvent::LayerSending { sent, total } => {
            of("layer_sending", json!({ "sent_bytes": sent, "total_bytes": (total > 0).then_some(total) }))
        }
        PushEvent::LayerSent => of("layer_sent", json!({})),
        PushEvent::LayerThereAlready => of("layer_there", json!({})),
        PushEvent::LayerMounted => of("layer_mounted", json!({})),
    }
}

/// An event of this name with these fields.
fn of(name: &str, fields: Value) -> Map<String, Value> {
    let mut map = Map::from_iter([("event".to_owned(), json!(name))]);
    if let Value::Object(fields) = fields {
        map.extend(fields);
    }
    map
}

/// To the millisecond.
fn seconds(duration: Duration) -> Value {
    json!((duration.as_secs_f64() * 1000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_left_out() {
        let told = |event| line(Duration::from_micros(1_234_567), &Event::Image("web".into(), event));
        let done = ImageEvent::Build(BuildEvent::StepDone { step: 2, cached: true, took: None });
        assert_eq!(told(done), r#"{"at":1.235,"image":"web","event":"step_done","step":2,"cached":true}"#);
        let tagged = ImageEvent::Tagged { tag: "1.2.3".parse().unwrap(), before: None, replica: None };
        assert_eq!(told(tagged), r#"{"at":1.235,"image":"web","event":"tagged","tag":"1.2.3"}"#);
        let created = Event::RepositoryCreated { name: "shop/web".parse().unwrap(), replica: None };
        assert_eq!(
            line(Duration::ZERO, &created),
            r#"{"at":0.0,"event":"repository_created","repository":"shop/web"}"#
        );
    }
}
