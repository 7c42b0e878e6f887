use proptest::prelude::*;
use rollbook_proof::codec::{decode, encode};
use rollbook_proof::crypto::Keypair;

use super::*;

/// The sample pairs of reference/domain.md 5.2, accepted there by a validator nobody here wrote.
const SAMPLES: [(&str, &str); 24] = [
    ("91999999MA0DM0001T", "ZZZZ00DEMMEMB0000130"),
    ("91999999MA0DM0002X", "ZZZZ00DEMMEMB0000227"),
    ("91999999MA0DM00031", "ZZZZ00DEMMEMB0000324"),
    ("91999999MA0DM00044", "ZZZZ00DEMMEMB0000421"),
    ("91999999MA0DM00057", "ZZZZ00DEMMEMB0000518"),
    ("91999999MA0DM0006A", "ZZZZ00DEMMEMB0000615"),
    ("91999999MA0DM0007D", "ZZZZ00DEMMEMB0000712"),
    ("91999999MA0DM0008G", "ZZZZ00DEMMEMB0000809"),
    ("91999999MA0DM0009K", "ZZZZ00DEMMEMB0000906"),
    ("91999999MA0DM0010Q", "ZZZZ00DEMMEMB0001003"),
    ("91999999MA0DM0011U", "ZZZZ00DEMMEMB0001197"),
    ("91999999MA0DM0012Y", "ZZZZ00DEMMEMB0001294"),
    ("91999999MA0DM00132", "ZZZZ00DEMMEMB0001391"),
    ("91999999MA0DM00145", "ZZZZ00DEMMEMB0001488"),
    ("91999999MA0DM00158", "ZZZZ00DEMMEMB0001585"),
    ("91999999MA0DM0016B", "ZZZZ00DEMMEMB0001682"),
    ("91999999MA0DM0017E", "ZZZZ00DEMMEMB0001779"),
    ("91999999MA0DM0018H", "ZZZZ00DEMMEMB0001876"),
    ("91999999MA0DM0019L", "ZZZZ00DEMMEMB0001973"),
    ("91999999MA0DM0020R", "ZZZZ00DEMMEMB0002070"),
    ("91999999MA0DM0021W", "ZZZZ00DEMMEMB0002167"),
    ("91999999MA0DM00220", "ZZZZ00DEMMEMB0002264"),
    ("91999999MA0DM00233", "ZZZZ00DEMMEMB0002361"),
    ("91999999MA0DM00246", "ZZZZ00DEMMEMB0002458"),
];

#[test]
fn the_sample_pairs_are_valid_and_every_wrong_check_is_refused() {
    for (uscc, lei) in SAMPLES {
        assert_eq!(
            Identifier::parse(uscc).unwrap().org_id(),
            format!("CN-USCI-{uscc}")
        );
        assert_eq!(
            Identifier::parse(lei).unwrap().org_id(),
            format!("XI-LEI-{lei}")
        );
        for other in USCC_ALPHABET
            .iter()
            .map(|c| char::from(*c))
            .filter(|c| !uscc.ends_with(*c))
        {
            let wrong = format!("{}{other}", &uscc[..17]);
            assert!(
                matches!(Identifier::uscc(&wrong), Err(IdentifierError::Check { .. })),
                "{wrong}"
            );
        }
    }
}

#[test]
fn published_codes() {
    for good in [
        "91350100M000100Y43",
        "91110000600037341L",
        "G1610000713522976L",
    ] {
        assert!(Identifier::uscc(good).is_ok(), "{good}");
    }
    for good in [
        "7H6GLXDRUGQFU57RNE97",
        "8I5DZWZKVSZI1NUHU748",
        "HWUPKR0MPOU8FGXBT394",
    ] {
        assert!(Identifier::lei(good).is_ok(), "{good}");
    }
}

#[test]
fn refusals_name_the_character_and_the_check() {
    let text = |result: Result<Identifier, IdentifierError>| result.unwrap_err().to_string();
    assert_eq!(
        text(Identifier::uscc("91350100M000100Y4Z")),
        "USCC: character 'Z' at position 18 is not allowed, 0-9 and A-Z without I, O, S, V, Z"
    );
    assert_eq!(
        text(Identifier::uscc("91350100M000100Y44")),
        "USCC: check characters '4', the others require '3'"
    );
    assert_eq!(
        text(Identifier::uscc("91350A00M000100Y43")),
        "USCC: character 'A' at position 6 is not allowed, positions 3 to 8 are digits"
    );
    assert_eq!(
        text(Identifier::uscc("91350100M000100Y4")),
        "USCC: 17 characters, exactly 18 are required"
    );
    assert!(matches!(
        Identifier::uscc("91350100m000100Y43"),
        Err(IdentifierError::Character {
            position: 9,
            found: 'm',
            ..
        })
    ));
    assert!(matches!(
        Identifier::parse("9135 0100M000100Y4"),
        Err(IdentifierError::Character {
            position: 5,
            found: ' ',
            ..
        })
    ));
    assert_eq!(
        text(Identifier::lei("7H6GLXDRUGQFU57RNE98")),
        "LEI: check characters '98', the others require '97'"
    );
    assert_eq!(
        text(Identifier::lei("7H6GLXDRUGQFU57RNEA7")),
        "LEI: character 'A' at position 19 is not allowed, the check pair is two digits"
    );
    assert!(matches!(
        Identifier::lei("7H6GLXDRUGQFU57rNE97"),
        Err(IdentifierError::Character { position: 16, .. })
    ));
    assert!(matches!(
        Identifier::lei("元7H6GLXDRUGQFU57RNE9"),
        Err(IdentifierError::Character { position: 1, .. })
    ));
    assert_eq!(
        Identifier::parse("hello"),
        Err(IdentifierError::UnknownForm)
    );
}

/// Every pair from 02 to 98 occurs as the right one, and then each of the other 99 is refused:
/// among them 00, 01 and 99, which a plain "mod 97 = 1" would let through for 97, 98 and 02.
#[test]
fn every_check_pair() {
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..2_000u32 {
        let body = format!("ZZZZ00PAIR{n:08}");
        let pair = lei_check_pair(&body).unwrap();
        if seen.insert(pair.clone()) {
            for other in 0..100 {
                let other = format!("{other:02}");
                assert_eq!(
                    Identifier::lei(&format!("{body}{other}")).is_ok(),
                    other == pair,
                    "{body} {other}"
                );
            }
        }
    }
    let all: std::collections::BTreeSet<String> = (2..=98).map(|n| format!("{n:02}")).collect();
    assert_eq!(seen, all);
}

#[test]
fn national_numbers_have_one_spelling() {
    let hk = Identifier::parse("HK-CR-1234567").unwrap();
    assert_eq!(hk, Identifier::national("HK", "CR-1234567").unwrap());
    assert_eq!(hk.key(), b"HK-CR-1234567");
    assert_eq!(
        Identifier::national("HK", "1234567"),
        Err(IdentifierError::Register)
    );
    assert_eq!(
        Identifier::national("CN", "USCI-91350100M000100Y43"),
        Err(IdentifierError::Alias("USCC"))
    );
    assert_eq!(
        Identifier::national("XI", "LEI-7H6GLXDRUGQFU57RNE97"),
        Err(IdentifierError::Alias("LEI"))
    );
    for (country, number) in [
        ("hk", "CR-1"),
        ("H", "CR-1"),
        ("HK", "CR-1 2"),
        ("HK", "cr-1"),
        ("HK", "CR-"),
        ("HK", "-1"),
    ] {
        assert!(
            Identifier::national(country, number).is_err(),
            "{country} {number}"
        );
    }
    assert!(Identifier::national("HK", &format!("CR-{}", "1".repeat(62))).is_err());
}

/// One company could stand in the register twice: under its code and under the same code as a
/// national number, or under a number with and without zeros and separators.
#[test]
fn a_code_is_no_national_number_and_a_number_has_one_key() {
    let national = |country: &str, number: &str| Identifier::national(country, number);
    for (country, number, kind) in [
        ("CN", "USCC-91350100M000100Y43", "USCC"),
        ("CN", "X-91350100M000100Y43", "USCC"),
        ("CN", "X-9135.0100-M000100Y43", "USCC"),
        ("CN", "91350100-M000100Y43", "USCC"),
        ("HK", "USCC-91350100M000100Y43", "USCC"),
        ("CN", "LEI-7H6GLXDRUGQFU57RNE97", "LEI"),
        ("DE", "X-7H6G/LXDR/UGQF/U57R/NE97", "LEI"),
    ] {
        assert_eq!(
            national(country, number),
            Err(IdentifierError::Alias(kind)),
            "{country}-{number}"
        );
    }
    let key = |number: &str| national("HK", number).unwrap().key();
    for (one, other) in [
        ("CR-0123", "CR-123"),
        ("CR-12-3", "CR-123"),
        ("CR-A007", "CR-A7"),
        ("CR-A0B", "CR-A00B"),
        ("CR-000", "CR-0"),
        ("CR-HRB.00012/B", "CR-HRB12B"),
    ] {
        assert_eq!(key(one), key(other), "{one} {other}");
    }
    for (one, other) in [
        ("CR-123", "CR-1230"),
        ("CR-A0B", "CR-AB"),
        ("CR-10", "CR-1"),
        ("CR-123", "BR-123"),
    ] {
        assert_ne!(key(one), key(other), "{one} {other}");
    }
    assert_eq!(national("HK", "CR-./"), Err(IdentifierError::Register));
}

#[test]
fn bytes_are_checked_when_decoded() {
    let good = Identifier::uscc("91350100M000100Y43").unwrap();
    assert_eq!(decode::<Identifier>(&encode(&good)), Ok(good));
    let longest = Identifier::national("HK", &format!("CR-{}", "1".repeat(61))).unwrap();
    assert_eq!(decode::<Identifier>(&encode(&longest)), Ok(longest));
    let bad = Identifier::Uscc(Text::new("91350100M000100Y44").unwrap());
    assert!(matches!(
        decode::<Identifier>(&encode(&bad)),
        Err(DecodeError::Rule(_))
    ));
    let short = Identifier::Lei(Text::new("7H6").unwrap());
    assert!(decode::<Identifier>(&encode(&short)).is_err());
}

#[test]
fn did_key_vector_and_refusals() {
    let key = Keypair::from_seed(&[0; 32]).public();
    let did = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp";
    assert_eq!(did_key(&key), did);
    assert_eq!(parse_did_key(did), Ok(key));
    assert_eq!(parse_did_key("did:web:example"), Err(DidKeyError::Method));
    assert_eq!(
        parse_did_key(&did.replace(":z6", ":m6")),
        Err(DidKeyError::Multibase('m'))
    );
    assert_eq!(parse_did_key(&did[..55]), Err(DidKeyError::Length(55)));
    assert_eq!(parse_did_key("did:key:"), Err(DidKeyError::Length(8)));
    assert_eq!(
        parse_did_key(&did.replace("ooWp", "o0Wp")),
        Err(DidKeyError::Character {
            position: 54,
            found: '0'
        })
    );
    // secp256k1 (0xe7 0x01) in the length of an Ed25519 key.
    let mut other = vec![0xe7, 0x01];
    other.extend_from_slice(&[7; 32]);
    let other = format!("did:key:z{}", base58(&other));
    assert_eq!(other.len(), 56);
    assert_eq!(parse_did_key(&other), Err(DidKeyError::KeyType));
    // The right length, one byte too few behind a leading zero.
    assert!(parse_did_key(&format!("did:key:z1{}", &did[10..])).is_err());
}

#[test]
fn base58_known_values() {
    for (bytes, text) in [
        (&b""[..], ""),
        (b"Hello World!", "2NEpo7TZRRrLZSi2U"),
        (&[0, 0, 0x28, 0x7f, 0xb4, 0xcd], "11233QC4"),
    ] {
        assert_eq!(base58(bytes), text);
        assert_eq!(base58_decode(text), Ok(bytes.to_vec()));
    }
}

/// A USCC finds every single substitution; an LEI every one of a digit by a digit or a letter by a
/// letter (a digit for a letter shifts the number, and one in 97 of those slips through mod 97).
#[test]
fn single_substitutions_are_found() {
    for (uscc, lei) in SAMPLES {
        for (code, mixed) in [(uscc, true), (lei, false)] {
            for (index, old) in code.char_indices() {
                for new in ('0'..='9').chain('A'..='Z').filter(|new| *new != old) {
                    if mixed || old.is_ascii_digit() == new.is_ascii_digit() {
                        let mut wrong = code.to_owned();
                        wrong.replace_range(index..=index, new.to_string().as_str());
                        assert!(Identifier::parse(&wrong).is_err(), "{wrong}");
                    }
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn did_key_round_trip(bytes in any::<[u8; 32]>()) {
        let key = PublicKey::Ed25519(bytes);
        let did = did_key(&key);
        prop_assert_eq!(did.len(), 56);
        prop_assert!(did.starts_with("did:key:z6Mk"));
        prop_assert_eq!(parse_did_key(&did), Ok(key));
    }

    #[test]
    fn base58_round_trip(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        prop_assert_eq!(base58_decode(&base58(&bytes)), Ok(bytes));
    }

    #[test]
    fn parsing_never_panics_and_keys_read_back(text in ".{0,24}") {
        if let Ok(identifier) = Identifier::parse(&text) {
            prop_assert_eq!(Identifier::parse(&identifier.org_id()), Ok(identifier));
        }
        let _ = parse_did_key(&text);
    }
}
