use time::macros::datetime;

use super::*;

fn at_sample(text: &str, zone: &str) -> String {
    format(datetime!(2024-03-05 06:07:08.090 UTC), &Zone::named(zone), text)
}

fn utc(text: &str) -> String {
    at_sample(text, "UTC")
}

#[test]
fn dates_and_times() {
    assert_eq!(utc("YYYYMMDD-HHmmss"), "20240305-060708");
    assert_eq!(utc("YY M Mo MMM MMMM D Do DDD DDDo DDDD"), "24 3 3rd Mar March 5 5th 65 65th 065");
    assert_eq!(utc("d do dd ddd dddd e E"), "2 2nd Tu Tue Tuesday 2 2");
    assert_eq!(utc("w wo ww W Wo WW gg gggg GG GGGG Q Qo"), "10 10th 10 10 10th 10 24 2024 24 2024 1 1st");
    assert_eq!(utc("h hh k kk A a m s S SS SSS SSSSSS"), "6 06 6 06 AM am 7 8 0 09 090 090000");
    assert_eq!(utc("X x Z ZZ z zz"), "1709618828 1709618828090 +00:00 +0000 UTC UTC");
    assert_eq!(utc("Y YYYYY YYYYYY y yo N NNNN"), "2024 02024 +002024 2024 2024th AD Anno Domini");
    assert_eq!(utc("hmm hmmss Hmm Hmmss"), "607 60708 607 60708");
}

#[test]
fn text_between() {
    assert_eq!(utc("[build]-YYYY"), "build-2024");
    assert_eq!(utc("[a]b]YYYY"), "a]b2024");
    assert_eq!(utc("\\YYYY YYYY"), "YYYY 2024");
    assert_eq!(utc("[YYYY"), "[2024");
    assert_eq!(utc("o-j-\\\\"), "o-j-");
    assert_eq!(utc("w|W|"), "w|W|");
}

#[test]
fn long_formats() {
    assert_eq!(utc("LTS, LT, L, l"), "6:07:08 AM, 6:07 AM, 03/05/2024, 3/5/2024");
    assert_eq!(utc("LLLL; lll"), "Tuesday, March 5, 2024 6:07 AM; Mar 5, 2024 6:07 AM");
    assert_eq!(utc("\\LT [LT]"), "LT LT");
    assert_eq!(utc(""), "2024-03-05T06:07:08Z");
}

#[test]
fn zones() {
    assert_eq!(at_sample("YYYY-MM-DD HH:mm z Z", "Asia/Seoul"), "2024-03-05 15:07 KST +09:00");
    assert_eq!(at_sample("HH:mm z", "america/new_york"), "01:07 EST");
    assert_eq!(at_sample("HH:mm z", "America_New_York"), "01:07 EST");
    assert_eq!(at_sample("Z ZZ z", "Asia/Kathmandu"), "+05:45 +0545 +0545");
    assert_eq!(at_sample("", "Asia/Seoul"), "2024-03-05T15:07:08+09:00");
    assert!(Zone::named("Mars/Base").unknown);
}

#[test]
fn weeks_around_new_year() {
    let on = |time, text| format(time, &Zone::named("UTC"), text);
    assert_eq!(on(datetime!(2023-12-31 00:00 UTC), "gggg-ww GGGG-WW E e"), "2024-01 2023-52 7 0");
    assert_eq!(on(datetime!(2022-01-01 00:00 UTC), "gggg-ww GGGG-WW"), "2022-01 2021-52");
    assert_eq!(on(datetime!(2020-12-31 23:59 UTC), "gggg-ww GGGG-WW DDDD h a"), "2021-01 2020-53 366 11 pm");
}
