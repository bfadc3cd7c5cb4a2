use super::*;
use crate::lifecycle::Images;

/// Images by lines: name, age in days, tags, children, subject; `-` for none.
fn images(lines: &[&str]) -> Vec<Image> {
    let one = |line: &&str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let list = |text: &str, before: &str| -> String {
            let items = text.split(',').filter(|item| *item != "-").map(|item| format!("\"{before}{item}\""));
            items.collect::<Vec<_>>().join(",")
        };
        let at = now().after_days(-words[1].parse::<i64>().unwrap()).text();
        let subject = if words[4] == "-" { "null".to_owned() } else { format!("\"sha256:{}\"", words[4]) };
        format!(
            r#"{{"imageDigest":"sha256:{}","imagePushedAt":"{at}","imageTags":[{}],"children":[{}],"subjectManifestDigest":{subject}}}"#,
            words[0],
            list(words[2], ""),
            list(words[3], "sha256:")
        )
    };
    let all: Vec<String> = lines.iter().map(one).collect();
    Images::parse(&format!("[{}]", all.join(","))).unwrap().0
}

fn now() -> Moment {
    Moment::parse("2026-03-01T00:00:00Z").unwrap()
}

fn names(images: &[&Image]) -> Vec<String> {
    images.iter().map(|image| image.digest.trim_start_matches("sha256:").to_owned()).collect()
}

fn removed<'a>(images: &'a [Image], wanted: &Wanted) -> Removal<'a> {
    remove(images, wanted, &BTreeSet::from(["prod".to_owned()]))
}

fn tag(name: &str) -> Wanted {
    Wanted { named: vec![Named::Tag(name.to_owned())], ..Wanted::default() }
}

fn digest(name: &str) -> Wanted {
    Wanted { named: vec![Named::Digest(format!("sha256:{name}"))], ..Wanted::default() }
}

#[test]
fn a_tag_goes_alone_while_the_image_has_others() {
    let all = images(&["a 1 1.0,latest - -", "b 1 2.0 - -"]);
    let first = removed(&all, &tag("1.0"));
    assert_eq!((names(&first.images), first.tags.len()), (vec![], 1));
    assert_eq!(first.tags[0].2, ["latest"]);
    assert_eq!(names(&removed(&all, &tag("2.0")).images), ["b"]);
    assert_eq!(removed(&all, &tag("3.0")).kept, [Kept::Missing("3.0".to_owned())]);
}

#[test]
fn what_an_environment_names_stays_with_all_that_it_lists() {
    let all = images(&["i 90 prod,1.0 x,y -", "x 90 src-1 - -", "y 90 - - -", "z 90 - - -"]);
    let kept = |wanted: &Wanted| removed(&all, wanted).kept;
    let environment = |name: &str| Kept::Environment { digest: format!("sha256:{name}"), tag: "prod".to_owned() };
    assert_eq!(kept(&tag("prod")), [environment("i")]);
    assert_eq!(kept(&digest("i")), [environment("i")]);
    assert_eq!(kept(&digest("y")), [environment("y")]);
    // Its other tag may go.
    assert_eq!(removed(&all, &tag("1.0")).tags.len(), 1);
    let old = Wanted { older_than: Some(now().after_days(-30)), ..Wanted::default() };
    let removal = removed(&all, &old);
    assert_eq!((names(&removal.images), removal.shielded), (vec!["z".to_owned()], 1));
}

#[test]
fn an_index_takes_its_children_and_whatever_is_about_them_along() {
    let all = images(&[
        "i 90 1.0 x,y,t -",
        "x 90 src-1 - -",
        "y 90 - - -",
        "t 90 kept - -",
        "s 1 - - i",
        "r 1 - - x",
        "o 1 - - q",
    ]);
    let removal = removed(&all, &digest("i"));
    assert_eq!(names(&removal.images), ["i"]);
    assert_eq!(names(&removal.along), ["x", "y", "s", "r"]);
    let order: Vec<Batch> = removal.batches();
    let digests = |names: &[&str]| Batch::Images(names.iter().map(|name| format!("sha256:{name}")).collect());
    assert_eq!(order, [digests(&["i", "s", "r"]), digests(&["x", "y"])]);
}

#[test]
fn a_child_of_an_index_that_stays_cannot_go() {
    let all = images(&["i 1 1.0 x -", "j 90 - x -", "x 90 - - -"]);
    let by = "1.0".to_owned();
    assert_eq!(removed(&all, &digest("x")).kept, [Kept::Listed { digest: "sha256:x".to_owned(), by }]);
    let untagged = Wanted { untagged: true, ..Wanted::default() };
    let removal = removed(&all, &untagged);
    assert_eq!((names(&removal.images), names(&removal.along)), (vec!["j".to_owned()], vec![]));
}

#[test]
fn both_flags_mean_both() {
    let all = images(&["a 90 - - -", "b 1 - - -", "c 90 1.0 - -"]);
    let both = Wanted { untagged: true, older_than: Some(now().after_days(-30)), ..Wanted::default() };
    assert_eq!(names(&removed(&all, &both).images), ["a"]);
}

#[test]
fn batches_of_100() {
    let lines: Vec<String> = (0..250).map(|number| format!("{number} 90 - - -")).collect();
    let all = images(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let untagged = Wanted { untagged: true, ..Wanted::default() };
    let sizes: Vec<usize> = removed(&all, &untagged)
        .batches()
        .iter()
        .map(|batch| match batch {
            Batch::Tags(some) | Batch::Images(some) => some.len(),
        })
        .collect();
    assert_eq!(sizes, [100, 100, 50]);
}
