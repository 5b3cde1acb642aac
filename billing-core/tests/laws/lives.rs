//! Whole lives: whatever happens in whatever order, everything adds up, and a void changes nothing but numbers.

use billing_core::{
    decide::Days,
    invoice::{Draft, Invoice},
};
use proptest::{
    collection::vec,
    prelude::{any, prop_assert, prop_assert_eq, proptest},
};

use crate::{
    checks::{billed_by_scope, used, whole},
    common::world::World,
    life::{Counted, LATE, Step, life, live},
    of_lives,
};

fn drafts(world: &World) -> Vec<&Draft> {
    world.valid().map(|invoice: &Invoice| &invoice.draft).collect()
}

/// Makes the last invoices void, the last of all first.
fn void_last(world: &mut World, count: usize) {
    let last: Vec<u64> = world.valid().rev().take(count).map(|invoice| invoice.number).collect();
    for number in last {
        assert_eq!(world.void(number, "typo"), Ok(true));
    }
}

proptest! {
    #![proptest_config(of_lives())]

    #[test]
    fn whatever_happens_everything_adds_up_and_leads_back(life in life(Counted::AtAnyPrice)) {
        let mut world = life.world();
        for step in &life.steps {
            live(&mut world, step);
            whole(&world);
        }
        prop_assert!(world.totals.values().all(|total| total.billed), "nothing is left unbilled");
        drop(world.hand_over("alice", Days::All));
        whole(&world);
        prop_assert!(world.totals.values().all(|total| total.handed), "nor unhanded");
    }

    #[test]
    fn a_void_and_another_run_change_nothing_but_numbers(
        life in life(Counted::AtAnyPrice),
        voided in vec(0_usize..4, 8),
    ) {
        let (mut plain, mut disturbed) = (life.world(), life.world());
        let mut voided = voided.iter().cycle();
        for step in &life.steps {
            live(&mut plain, step);
            let before = disturbed.invoices.len();
            live(&mut disturbed, step);
            if let Step::Issue(_) = step {
                let issued = disturbed.invoices.len() - before;
                void_last(&mut disturbed, issued.min(*voided.next().unwrap()));
                whole(&disturbed);
                live(&mut disturbed, step);
            }
            prop_assert_eq!(drafts(&plain), drafts(&disturbed));
        }
        whole(&disturbed);
        prop_assert_eq!(&plain.totals, &disturbed.totals);
        let carried = |world: &World| {
            let mut carries = world.carries.clone();
            carries.retain(|_, carry| !carry.is_nothing());
            carries
        };
        prop_assert_eq!(carried(&plain), carried(&disturbed));
    }

    #[test]
    fn what_is_made_void_is_billed_in_the_end_whenever_the_next_run_comes(
        life in life(Counted::AtOnePrice),
        voided in vec(0_usize..4, 8),
    ) {
        let (mut plain, mut disturbed) = (life.world(), life.world());
        let mut voided = voided.iter().cycle();
        for step in &life.steps {
            live(&mut plain, step);
            void_last(&mut disturbed, *voided.next().unwrap());
            live(&mut disturbed, step);
        }
        whole(&disturbed);
        prop_assert_eq!(used(&plain), used(&disturbed));
        prop_assert_eq!(billed_by_scope(&plain), billed_by_scope(&disturbed));
    }

    #[test]
    fn how_often_the_run_comes_changes_nothing_in_the_end(
        life in life(Counted::AtOnePrice),
        once in any::<bool>(),
    ) {
        let (mut often, mut seldom) = (life.world(), life.world());
        for step in &life.steps {
            live(&mut often, step);
            if !matches!(step, Step::Issue(_)) {
                live(&mut seldom, step);
            }
        }
        if once {
            live(&mut seldom, &Step::Issue("2026-02-03T00:00:00Z".parse().unwrap()));
        }
        live(&mut seldom, &Step::Issue(LATE.parse().unwrap()));
        prop_assert_eq!(used(&often), used(&seldom));
        prop_assert_eq!(billed_by_scope(&often), billed_by_scope(&seldom));
    }
}
