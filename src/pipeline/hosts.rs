//! `extra_hosts:`, lines for the hosts file of RUN steps.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::node::Value;
use super::problems::Problems;
use super::read::Field;

/// The word that stands for the address of the machine that the daemon runs on.
const HOST_GATEWAY: &str = "host-gateway";

/// Reads `{host: address}`, or a list of `host=address` or `host:address`; an IPv6 address may be in brackets.
pub(super) fn read(field: &Field<'_>, problems: &mut Problems) -> Option<BTreeMap<String, String>> {
    let mut hosts = BTreeMap::new();
    match &field.node.value {
        Value::Map(_) => {
            for (entry, value) in field.entries(problems)? {
                let Some(written) = single(&value, problems).and_then(|value| value.text(problems)) else { continue };
                if let Some(address) = legal(&entry.key.value, written, &value, problems) {
                    hosts.insert(entry.key.value.clone(), address);
                }
            }
        }
        _ => {
            for item in field.items("a map or a list of `host=address`", problems)? {
                let Some(text) = item.text(problems) else { continue };
                let Some((host, written)) = text.split_once('=').or_else(|| text.split_once(':')) else {
                    problems.error(item.span(), format!("`{}`: `{text}` is not of the form `host=address`", item.path));
                    continue;
                };
                let Some(address) = legal(host, written, &item, problems) else { continue };
                if hosts.insert(host.to_owned(), address).is_some() {
                    report_again(host, &item, problems);
                }
            }
        }
    }
    Some(hosts)
}

/// Compose allows a list of addresses here, so a list of one is understood.
fn single<'n>(field: &Field<'n>, problems: &mut Problems) -> Option<Field<'n>> {
    let items = field.items_or_single(problems)?;
    match items.as_slice() {
        [one] => Some(one.clone()),
        _ => {
            problems.error(field.span(), format!("`{}` must have one address, not {}", field.path, items.len()));
            None
        }
    }
}

fn report_again(host: &str, field: &Field<'_>, problems: &mut Problems) {
    let message = format!("`{}` gives `{host}` again", field.path);
    problems.error_with_hint(field.span(), message, "a host has one address here");
}

fn legal(host: &str, written: &str, field: &Field<'_>, problems: &mut Problems) -> Option<String> {
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '=' | ':')) {
        problems.error(field.key, format!("`{}`: `{}` is not a host name", field.path, host.escape_debug()));
        return None;
    }
    let written = written.trim();
    let address = written.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(written);
    if address != HOST_GATEWAY && address.parse::<IpAddr>().is_err() {
        let message = format!("`{}`: `{written}` is neither an IP address nor `{HOST_GATEWAY}`", field.path);
        problems.error(field.span(), message);
        return None;
    }
    Some(address.to_owned())
}
