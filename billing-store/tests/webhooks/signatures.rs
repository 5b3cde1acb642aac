//! Signatures against golden values, and what a receiver refuses.

use proptest::prelude::*;

use billing_store::relay::webhooks::{InvalidSecret, NotVerified, WebhookSecret, sign, verify};

/// Made with Python's `hmac`, `hashlib` and `base64`.
fn golden() -> Vec<(&'static str, &'static str, i64, String, &'static str)> {
    vec![
        (
            "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
            "first:acme:alice:1",
            1_700_000_000,
            "{}".into(),
            "v1,l8fF5kheivMRlsRYVO2RAaemDspdNYeHE5HbnO75TOU=",
        ),
        (
            "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=",
            "2026-11-20-restore:acme:alice%3Ahome:18446744073709551615",
            0,
            r#"{"text":"Größe 1 €"}"#.into(),
            "v1,uimgGkh/kaSvJ/AZiv2p3BsxWtYwSJ5bjPQRXIiSULo=",
        ),
        (
            "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==",
            "a:b:c:1",
            -1,
            String::new(),
            "v1,n3kHU/BwY+FwPbTWPtTHwutkZCQql5/cwj5E97VrRNY=",
        ),
        (
            "whsec_/////////////////////////////////////////////////////////////////////////////////////w==",
            "a:b:c:1",
            253_402_300_799,
            "x".repeat(1_000),
            "v1,yoJLmrMXbMulX3fTG6CMZy6gUY3Wx9rDM0tRoJsJ1WA=",
        ),
    ]
}

#[test]
fn signatures_are_those_of_another_hand() {
    for (secret, id, seconds, body, due) in golden() {
        let secret: WebhookSecret = secret.parse().unwrap();
        assert_eq!(sign(core::slice::from_ref(&secret), id, seconds, &body), due);
        let at = seconds.to_string();
        assert_eq!(verify(&[secret], id, &at, due, &body, seconds, 0), Ok(()));
    }
}

#[test]
fn a_receiver_refuses_what_was_changed_or_is_old() {
    let secrets = [WebhookSecret::try_new(&[1; 24]).unwrap()];
    let other = [WebhookSecret::try_new(&[2; 24]).unwrap()];
    let signature = sign(&secrets, "id", 1_000, "body");
    let both = format!("{} {signature}", sign(&other, "id", 1_000, "body"));
    let check = |id, at: &str, signature: &str, body, now| {
        verify(&secrets, id, at, signature, body, now, 300)
    };
    assert_eq!(check("id", "1000", &signature, "body", 1_300), Ok(()));
    assert_eq!(check("id", "1000", &both, "body", 700), Ok(()));
    let cases = [
        ("other", "1000", signature.as_str(), "body", 1_000, NotVerified::Signature),
        ("id", "1001", &signature, "body", 1_000, NotVerified::Signature),
        ("id", "1000", &signature, "body ", 1_000, NotVerified::Signature),
        ("id", "1000", "", "body", 1_000, NotVerified::Signature),
        ("id", "1000", "v1,", "body", 1_000, NotVerified::Signature),
        ("id", "1000", &signature.replacen("v1", "v2", 1), "body", 1_000, NotVerified::Signature),
        ("id", "1000", signature.trim_end_matches('='), "body", 1_000, NotVerified::Signature),
        ("id", "1000", &signature, "body", 1_301, NotVerified::Time),
        ("id", "1000", &signature, "body", 699, NotVerified::Time),
        ("id", "1000.0", &signature, "body", 1_000, NotVerified::Header),
        ("id", "", &signature, "body", 1_000, NotVerified::Header),
    ];
    for (id, at, signature, body, now, due) in cases {
        assert_eq!(check(id, at, signature, body, now), Err(due), "{id} {at} {signature} {now}");
    }
    let unknown = verify(&other, "id", "1000", &signature, "body", 1_000, 300);
    assert_eq!(unknown, Err(NotVerified::Signature));
}

#[test]
fn a_secret_is_long_enough_and_never_shown() {
    let cases = [
        ("", InvalidSecret::Prefix),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", InvalidSecret::Prefix),
        ("whsec_", InvalidSecret::Length { bytes: 0 }),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", InvalidSecret::Base64),
        ("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", InvalidSecret::Length { bytes: 23 }),
    ];
    for (text, due) in cases {
        let error = text.parse::<WebhookSecret>().unwrap_err();
        assert_eq!(error, due, "{text}");
        assert!(text.is_empty() || !error.to_string().contains("MfKQ"));
    }
    assert!(WebhookSecret::try_new(&[0; 64]).is_ok());
    assert!(WebhookSecret::try_new(&[0; 65]).is_err());
}

proptest! {
    #[test]
    fn what_was_signed_is_verified_and_nothing_else(
        key in prop::collection::vec(any::<u8>(), 24..=64),
        id in "[a-z0-9:%]{1,40}",
        seconds in 0_i64..4_000_000_000,
        body in ".{0,60}",
        at in 0_usize..60,
    ) {
        let secrets = [WebhookSecret::try_new(&key).unwrap()];
        let signature = sign(&secrets, &id, seconds, &body);
        let time = seconds.to_string();
        prop_assert_eq!(verify(&secrets, &id, &time, &signature, &body, seconds, 0), Ok(()));
        let cut: String = body.chars().enumerate().filter(|(i, _)| *i != at).map(|(_, c)| c).collect();
        if cut != body {
            let changed = verify(&secrets, &id, &time, &signature, &cut, seconds, 0);
            prop_assert_eq!(changed, Err(NotVerified::Signature));
        }
    }
}
