//! What each token is replaced by, in English.

use std::fmt::Write;

use jiff::ZonedDateTime;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Writes one token.
pub(super) fn token(token: &str, at: &ZonedDateTime, abbreviation: String, out: &mut String) {
    let (year, month, day) = (i64::from(at.year()), i64::from(at.month()), i64::from(at.day()));
    let (hour, minute, second) = (i64::from(at.hour()), i64::from(at.minute()), i64::from(at.second()));
    let weekday = i64::from(at.weekday().to_sunday_zero_offset());
    let day_of_year = i64::from(at.day_of_year());
    let iso = at.date().iso_week_date();
    let (iso_year, iso_week) = (i64::from(iso.year()), i64::from(iso.week()));
    let quarter = (month - 1) / 3 + 1;
    let hour12 = if hour % 12 == 0 { 12 } else { hour % 12 };
    let month_name = MONTHS[usize::try_from(month - 1).unwrap_or_default() % 12];
    let day_name = DAYS[usize::try_from(weekday).unwrap_or_default() % 7];
    let written = match token {
        "Y" if year > 9999 => format!("+{year}"),
        "Y" | "YYYY" => padded(year, 4),
        "YY" => padded(year % 100, 2),
        "YYYYY" => padded(year, 5),
        "YYYYYY" => format!("+{year:06}"),
        "y" => year.to_string(),
        "yo" => ordinal(year),
        "yy" => padded(year, 2),
        "yyy" => padded(year, 3),
        "yyyy" => padded(year, 4),
        "N" | "NN" | "NNN" | "NNNNN" => "AD".to_owned(),
        "NNNN" => "Anno Domini".to_owned(),
        "Q" => quarter.to_string(),
        "Qo" => ordinal(quarter),
        "M" => month.to_string(),
        "Mo" => ordinal(month),
        "MM" => padded(month, 2),
        "MMM" => month_name[..3].to_owned(),
        "MMMM" => month_name.to_owned(),
        "D" => day.to_string(),
        "Do" => ordinal(day),
        "DD" => padded(day, 2),
        "DDD" => day_of_year.to_string(),
        "DDDo" => ordinal(day_of_year),
        "DDDD" => padded(day_of_year, 3),
        "d" | "e" => weekday.to_string(),
        "do" => ordinal(weekday),
        "dd" => day_name[..2].to_owned(),
        "ddd" => day_name[..3].to_owned(),
        "dddd" => day_name.to_owned(),
        "E" => if weekday == 0 { 7 } else { weekday }.to_string(),
        "W" => iso_week.to_string(),
        "Wo" => ordinal(iso_week),
        "WW" => padded(iso_week, 2),
        "GG" => padded(iso_year % 100, 2),
        "GGGG" => padded(iso_year, 4),
        "GGGGG" => padded(iso_year, 5),
        "w" => week(at).1.to_string(),
        "wo" => ordinal(week(at).1),
        "ww" => padded(week(at).1, 2),
        "gg" => padded(week(at).0 % 100, 2),
        "gggg" => padded(week(at).0, 4),
        "ggggg" => padded(week(at).0, 5),
        "H" => hour.to_string(),
        "HH" => padded(hour, 2),
        "h" => hour12.to_string(),
        "hh" => padded(hour12, 2),
        "k" => if hour == 0 { 24 } else { hour }.to_string(),
        "kk" => padded(if hour == 0 { 24 } else { hour }, 2),
        "hmm" => format!("{hour12}{minute:02}"),
        "hmmss" => format!("{hour12}{minute:02}{second:02}"),
        "Hmm" => format!("{hour}{minute:02}"),
        "Hmmss" => format!("{hour}{minute:02}{second:02}"),
        "a" => if hour < 12 { "am" } else { "pm" }.to_owned(),
        "A" => if hour < 12 { "AM" } else { "PM" }.to_owned(),
        "m" => minute.to_string(),
        "mm" => padded(minute, 2),
        "s" => second.to_string(),
        "ss" => padded(second, 2),
        "x" => at.timestamp().as_millisecond().to_string(),
        "X" => at.timestamp().as_millisecond().div_euclid(1000).to_string(),
        "z" | "zz" => abbreviation,
        "Z" => offset(at, ":"),
        "ZZ" => offset(at, ""),
        digits => fraction(at, digits.len()),
    };
    out.push_str(&written);
}

fn padded(number: i64, width: usize) -> String {
    format!("{number:0width$}")
}

fn ordinal(number: i64) -> String {
    let suffix = match (number % 10, number % 100 / 10) {
        (_, 1) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

/// The American week: it begins on Sunday, and the first of a year is that of January 1st.
fn week(at: &ZonedDateTime) -> (i64, i64) {
    let year = i64::from(at.year());
    let (day, weekday) = (i64::from(at.day_of_year()) - 1, i64::from(at.weekday().to_sunday_zero_offset()));
    let days_left = i64::from(at.days_in_year()) - 1 - day;
    if days_left < 6 - weekday {
        return (year + 1, 1);
    }
    let first_weekday = (weekday - day).rem_euclid(7);
    (year, (day + first_weekday) / 7 + 1)
}

fn offset(at: &ZonedDateTime, separator: &str) -> String {
    let minutes = at.offset().seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    let minutes = minutes.abs();
    format!("{sign}{:02}{separator}{:02}", minutes / 60, minutes % 60)
}

/// So many digits of the fraction of the second, of which JavaScript knows three.
fn fraction(at: &ZonedDateTime, digits: usize) -> String {
    let mut written = String::new();
    let _ = write!(written, "{:03}", at.timestamp().as_millisecond().rem_euclid(1000));
    while written.len() < digits {
        written.push('0');
    }
    written.truncate(digits);
    written
}
