//! Separators, encodings, headers, and what stands around the rows.

use std::io::{BufReader, Read as _};

use billing_formats::deck::{BAD_ROWS_MAX, Counts, Deck, ReadError};
use serde_json::json;

use crate::{HEADER, codes, lines, mapping, read, standard};

#[test]
fn the_delimiter_is_found_under_which_the_header_has_all_names() {
    for delimiter in [",", ";", "\t", "|"] {
        let file =
            "code;name;rate\n49;\"Germany, all; or | none\";\"0.02\"\n".replace(';', delimiter);
        let file = file.replace(&format!("all{delimiter}"), "all;");
        let deck = read(&standard(), &file);
        assert_eq!(lines(&deck)[0].bands[0].price.to_string(), "0.02", "{file}");
    }
}

#[test]
fn without_a_header_the_delimiter_is_the_one_that_suits_most_rows() {
    let columns = json!({"code": 1, "destination": 2, "price": 3});
    let absent = mapping(&json!({"header": "absent", "decimal": "comma"}), &columns);
    let deck = read(&absent, "49;Germany;0,02;1\n33;France;0,03;1\n");
    assert_eq!(lines(&deck)[1].bands[0].price.to_string(), "0.03");
    let titled =
        read(&absent, "A title, with, many, commas, in, it\n49;Germany;0,02\n33;France;0,03\n");
    assert_eq!((titled.counts().priced, titled.counts().refused), (2, 1));

    let either = Deck::read("49;Ger,many;0,02\n".as_bytes(), &absent);
    assert!(matches!(either, Err(ReadError::EitherDelimiter)));
    let given =
        mapping(&json!({"header": "absent", "decimal": "comma", "delimiter": ";"}), &columns);
    assert_eq!(lines(&read(&given, "49;Ger,many;0,02\n")).len(), 1);
}

#[test]
fn a_deck_is_read_in_every_encoding() {
    let file = "code;name;rate\n49;Österreich – €;0.02\n";
    let utf16 = |unit: fn(u16) -> [u8; 2], mark: bool| -> Vec<u8> {
        let mark = Some(0xFEFF).filter(|_| mark);
        mark.into_iter().chain(file.encode_utf16()).flat_map(unit).collect()
    };
    let windows = b"code;name;rate\n49;\xD6sterreich \x96 \x80;0.02\n";
    let cases: [(Vec<u8>, &str); 8] = [
        (file.into(), "utf8"),
        (format!("\u{FEFF}{file}").into(), "utf8"),
        (format!("\u{FEFF}{file}").into(), "windows_1252"),
        (utf16(u16::to_le_bytes, false), "utf16_le"),
        (utf16(u16::to_be_bytes, false), "utf16_be"),
        (utf16(u16::to_le_bytes, true), "utf8"),
        (utf16(u16::to_be_bytes, true), "windows_1252"),
        (windows.into(), "windows_1252"),
    ];
    for (file, encoding) in cases {
        let mapping = mapping(&json!({"encoding": encoding}), &json!({}));
        // Also where the input comes in single bytes.
        let deck = Deck::read(BufReader::with_capacity(1, file.as_slice()), &mapping).unwrap();
        assert_eq!(lines(&deck)[0].destination.as_str(), "Österreich – €", "{encoding}");
    }
}

#[test]
fn what_is_no_character_is_refused_where_it_stands() {
    let cases: [(&[u8], &str); 4] = [
        (b"code;name;rate\n49;\xD6sterreich;0.02\n43;x;0.1\n", "utf8"),
        (b"code;name;rate\n49;\x81;0.02\n43;x;0.1\n", "windows_1252"),
        (&lone_surrogate(&[0xD800]), "utf16_le"),
        (&lone_surrogate(&[0xDC00, 0xD83D, 0xDE00]), "utf16_le"),
    ];
    for (file, encoding) in cases {
        let deck = read(&mapping(&json!({"encoding": encoding}), &json!({})), file);
        assert_eq!(
            deck.bad_rows().rows()[0].to_string(),
            "line 2, column `name`: it has bytes that are no characters; accepted are those of the mapping's `encoding`",
        );
        assert_eq!((deck.bad_rows().count(), deck.counts().priced), (1, 1), "{encoding}");
    }
}

fn lone_surrogate(units: &[u16]) -> Vec<u8> {
    let (before, after) = ("code;name;rate\n49;", ";0.02\n43;x\u{1F600};0.1\n");
    let units = before.encode_utf16().chain(units.iter().copied()).chain(after.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_file_that_ends_within_a_character_is_refused_there() {
    let mut file: Vec<u8> =
        "code;rate;name\n49;0.02;x".encode_utf16().flat_map(u16::to_le_bytes).collect();
    file.push(b'y');
    let deck = read(&mapping(&json!({"encoding": "utf16_le"}), &json!({})), file);
    assert_eq!((deck.bad_rows().count(), deck.counts().priced), (1, 0));
}

#[test]
fn the_header_may_be_on_any_of_the_first_rows_and_in_any_order() {
    let file = "Rates of a carrier,,,\r\n\r\nvalid,2026,,\r\n RATE , Code ,Note,name\r\n0.02,49,,Germany\r\n";
    let deck = read(&standard(), file);
    assert_eq!(codes(&lines(&deck)[0]), ["49"]);
    let counts = Counts { rows: 5, priced: 1, passed_over: 3, blank: 1, ..Counts::default() };
    assert_eq!(*deck.counts(), counts);

    let below =
        |rows: usize| format!("{}code,name,rate\n49,Germany,0.02\n", "title\n".repeat(rows));
    assert_eq!(read(&standard(), below(49)).counts().priced, 1);
    assert!(matches!(Deck::read(below(50).as_bytes(), &standard()), Err(ReadError::Header(_))));
}

#[test]
fn a_header_that_is_not_that_of_the_mapping_is_named() {
    let cases = [
        ("code,name\n49,Germany\n", "the header has no column `rate`"),
        ("Price list\ncode;name;price\n", "the header has no column `rate`"),
        ("code,name,rate,rate\n", "the header has column `rate` more than once"),
        ("", "there is no header; accepted is one within the first 50 rows"),
        ("\n \n", "there is no header"),
    ];
    for (file, problem) in cases {
        let found = Deck::read(file.as_bytes(), &standard()).unwrap_err().to_string();
        assert!(found.starts_with(problem), "{found}");
    }
}

#[test]
fn a_header_may_be_told_by_its_row() {
    let columns = json!({"code": 1, "destination": 2, "price": 3});
    let third = mapping(&json!({"header": {"row": 3}}), &columns);
    let deck = read(&third, "a title\n\nand more\nwhatever;it;says\n49;Germany;0.02\n");
    assert_eq!((deck.counts().passed_over, lines(&deck).len()), (3, 1));
    assert!(matches!(Deck::read("one\n".as_bytes(), &third), Err(ReadError::NoHeader)));
}

#[test]
fn rows_without_a_code_are_passed_over_if_the_mapping_says_so() {
    let file = "code,name,rate\nEurope,,\n49,Germany,0.02\n\n,,\nTotal: 1,,\n+33,France,0.03\n*,elsewhere,1\n";
    let some = read(&mapping(&json!({"rows": "with_code"}), &json!({})), file);
    let counts = Counts { rows: 8, priced: 3, passed_over: 3, blank: 2, ..Counts::default() };
    assert_eq!(*some.counts(), counts);
    let all = read(&standard(), file);
    assert_eq!((all.counts().refused, all.counts().priced), (2, 3));
}

#[test]
fn a_damaged_code_beside_a_price_is_refused_and_not_passed_over() {
    let changes = json!({"rows": "with_code", "delimiter": ",", "blocked_prices": ["N/A", ""]});
    let columns = json!({"change": {"column": "flag", "values": {"x": "withdrawn", "b": "blocked"}, "otherwise": "new"}});
    let mapping = mapping(&changes, &columns);
    let codes =
        ["May-10", "\u{200B}4930", "\u{201C}4930\u{201D}", "[4930]", "-4930", "#N/A", "", "x"];
    for code in codes {
        for rest in ["0.02,", "€ 0.02,", "n/a,", ",x", "x,b"] {
            let deck = read(&mapping, format!("code,name,rate,flag\n{code},Germany,{rest}\n"));
            assert_eq!((deck.counts().refused, deck.counts().passed_over), (1, 1), "{code} {rest}");
            let found = deck.bad_rows().rows()[0].to_string();
            assert!(
                found.starts_with(&format!("line 2, column `code`, value {code:?}")),
                "{found}"
            );
        }
        for rest in ["", ",", ",rate,flag", ",x,", "\n,name,in EUR,"] {
            let deck = read(&mapping, format!("code,name,rate,flag\n{code},Germany{rest}\n"));
            assert_eq!(deck.counts().refused, 0, "{code} {rest}");
        }
    }
}

#[test]
fn rows_may_be_shorter_or_longer_where_nothing_is_read() {
    let deck = read(&standard(), "code,name,rate,note\n49,Germany,0.02\n33,France,0.03,,, \n");
    assert_eq!(lines(&deck).len(), 2);
    let deck = read(
        &standard(),
        "code,name,rate,note\n49,Germany\n33,Korea, Rep,0.03,\n34,Spain,0.03,,0.9\n",
    );
    let problems: Vec<String> = deck.bad_rows().rows().iter().map(ToString::to_string).collect();
    assert_eq!(problems[0], "line 2: the row has 2 columns; accepted are 3 and more");
    assert!(problems[1].starts_with("line 3, column `rate`, value \"Rep\""), "{problems:?}");
    assert_eq!(
        problems[2],
        "line 4: the row has 5 columns; accepted are the 4 of the header, and empty ones"
    );
}

#[test]
fn a_quoted_column_that_never_ends_is_refused_alone() {
    let lines = "33,France,0.03\n".repeat(10_000);
    let deck = read(&standard(), format!("{HEADER}\n49,\"Germany,0.02\n{lines}"));
    assert_eq!((deck.counts().refused, deck.counts().repeated), (1, 9_999));
    let problem = deck.bad_rows().rows()[0].to_string();
    assert!(problem.starts_with("line 2: a quoted column of the line does not end"), "{problem}");
}

#[test]
fn a_line_of_any_length_is_refused_without_being_kept() {
    let endless = std::io::repeat(b'9').take(50_000_000);
    let file = format!("{HEADER}\n49,\"").into_bytes();
    let rest = b"\n33,France,0.03\n".as_slice();
    let input = BufReader::new(file.as_slice().chain(endless).chain(rest));
    let deck = Deck::read(input, &standard()).unwrap();
    assert_eq!((deck.counts().refused, deck.counts().priced), (1, 1));
    assert_eq!(
        deck.bad_rows().rows()[0].to_string(),
        "line 2: the line is longer than 65536 bytes"
    );
}

#[test]
fn all_rows_are_counted_though_not_all_errors_are_kept() {
    let bad = "49,Germany,x\n".repeat(BAD_ROWS_MAX.saturating_add(5));
    let deck = read(&standard(), format!("{HEADER}\n{bad}33,France,0.03\n"));
    assert_eq!(deck.bad_rows().rows().len(), BAD_ROWS_MAX);
    assert_eq!((deck.counts().refused, deck.counts().priced), (1_005, 1));
    assert!(
        deck.bad_rows()
            .to_string()
            .starts_with("1005 rows cannot be taken in; the first: line 2, ")
    );
}

#[test]
fn an_input_that_fails_is_an_error() {
    struct Broken;
    impl std::io::Read for Broken {
        fn read(&mut self, _buf: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("torn"))
        }
    }
    let input = BufReader::new(HEADER.as_bytes().chain(b"\n".as_slice()).chain(Broken));
    assert!(matches!(Deck::read(input, &standard()), Err(ReadError::Input(_))));
}

#[test]
fn quotation_marks_are_what_the_mapping_says() {
    let file = "code;name;rate\n49;\"Germany;0.02\n";
    assert_eq!(read(&standard(), file).counts().refused, 1);
    let plain = json!({"quotes": "none"});
    assert_eq!(
        lines(&read(&mapping(&plain, &json!({})), file))[0].destination.as_str(),
        "\"Germany"
    );
}
