//! What holds for every dial plan and every number.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use billing_core::item::Party;
use billing_formats::dial_plan::{DialPlan, Dialled, Rules};
use proptest::{collection::vec, option, prelude::*, string::string_regex};

fn matching(pattern: &str) -> impl Strategy<Value = String> + use<> {
    string_regex(pattern).unwrap()
}

/// Plans, of which most contradict themselves somewhere.
fn rules() -> impl Strategy<Value = Rules> {
    (
        matching("[1-9][0-9]{0,2}"),
        vec(
            prop_oneof![
                Just("00".to_owned()),
                Just("011".to_owned()),
                Just("+".to_owned()),
                matching("[0-9]{1,3}")
            ],
            0..3,
        ),
        option::of(prop_oneof![Just("0".to_owned()), Just("1".to_owned()), matching("[0-9]{1,2}")]),
        option::of(matching("[0-9]{1,4}")),
        option::of(1_u8..12),
        vec(matching("[0-9*#]{1,4}"), 0..3),
        vec(matching("[0-9*#]{1,3}"), 0..2),
        0_u8..6,
        prop_oneof![
            Just(" -()/.".to_owned()),
            Just("()".to_owned()),
            Just("_ ".to_owned()),
            Just(String::new())
        ],
    )
        .prop_map(
            |(country, international, national, area, digits, short, special, internal, strip)| {
                Rules {
                    country,
                    international_prefixes: international,
                    national_prefix: national,
                    area_code: area,
                    national_digits: digits,
                    short_codes: short,
                    special_prefixes: special,
                    internal_digits_max: internal,
                    strip,
                }
            },
        )
}

fn plan() -> impl Strategy<Value = DialPlan> {
    rules().prop_filter_map("contradicts itself", |rules| DialPlan::try_new(rules).ok())
}

fn dialled() -> impl Strategy<Value = Party> {
    let text = prop_oneof![
        4 => matching("[+]?[0-9]{0,18}"),
        3 => matching("[+]?[0-9]{0,4}[ ]?([(][0-9]{0,2}[)])?[0-9 ()/.*#-]{0,12}"),
        1 => matching("[^\\p{Cc}]{0,20}"),
    ];
    text.prop_map(|text| text.parse().unwrap())
}

proptest! {
    #[test]
    fn a_number_normalised_twice_is_as_once(plan in plan(), dialled in dialled()) {
        let once = plan.normalize(&dialled);
        let party = Party::from(once.clone());
        prop_assert_eq!(plan.normalize(&party), once);
    }

    #[test]
    fn an_e164_number_is_unchanged(plan in plan(), number in matching("[+][1-9][0-9]{0,14}")) {
        let party: Party = number.parse().unwrap();
        let normal = plan.normalize(&party);
        prop_assert_eq!(&normal, &Dialled::E164(number.parse().unwrap()));
        prop_assert_eq!(Party::from(normal), party);
    }

    #[test]
    fn a_number_is_the_end_of_what_was_dialled_with_a_country_before_it(
        plan in plan(),
        dialled in matching("[0-9]{1,18}"),
    ) {
        if let Dialled::E164(number) = plan.normalize(&dialled.parse().unwrap()) {
            let number = number.to_string();
            let rules = plan.rules();
            let area = rules.area_code.as_deref().unwrap_or_default();
            let heads = ["+".to_owned(), format!("+{}", rules.country), format!("+{}{area}", rules.country)];
            let is_after = |head: &String| {
                number.strip_prefix(head.as_str()).is_some_and(|rest| !rest.is_empty() && dialled.ends_with(rest))
            };
            prop_assert!(heads.iter().any(is_after));
        }
    }

    #[test]
    fn marks_never_change_a_number(plan in plan(), digits in matching("[+]?[0-9]{1,15}"), places in vec(0_usize..16, 0..5)) {
        let mut marked = digits.clone();
        // No parentheses: around a national prefix they mean something.
        for (place, mark) in places.into_iter().zip("-_/. ".chars()) {
            if plan.rules().strip.contains(mark) {
                let at = place.min(marked.len());
                marked.insert(at, mark);
            }
        }
        let [plain, marked] = [digits, marked].map(|text| plan.normalize(&text.parse().unwrap()));
        if !matches!(plain, Dialled::Unchanged(_)) {
            prop_assert_eq!(plain, marked);
        }
    }

    #[test]
    fn a_plan_is_read_back_from_its_json(plan in plan()) {
        let json = serde_json::to_string(&plan).unwrap();
        prop_assert_eq!(serde_json::from_str::<DialPlan>(&json).unwrap(), plan);
    }
}
