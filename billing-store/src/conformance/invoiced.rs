//! Invoices as pages, what becomes of them, and what a void one gives back.

use billing_core::{
    decide::{RunOutcome, Writes},
    id::AccountId,
    invoice::{Draft, Invoice, InvoiceKind, InvoiceMark, InvoiceState},
};

use crate::conformance::{
    bench::{Bench, ensure_same},
    coheres::coheres,
    door::{Door, pulse},
    dump::{Dump, invoice_place},
    finds::finds,
    kept::{Failed, Kept, ensure},
    order::pages,
    sample::{self, Made},
};

pub(super) async fn pages(bench: &Bench) -> Kept {
    let mut writes = Writes::default();
    for (series, number, kind, from) in [
        ("pa", 1, InvoiceKind::Period, "2026-12-01"),
        ("p", 10, InvoiceKind::Period, "2026-11-01"),
        ("p", 9, InvoiceKind::Advance, "2026-11-01"),
        ("p", 11, InvoiceKind::Advance, "2026-12-01"),
        ("pa", 2, InvoiceKind::Advance, "2027-01-01"),
        ("p", 12, InvoiceKind::Period, "2026-10-31"),
    ] {
        let mut invoice = sample::invoice("account-6", series, number, from)?;
        invoice.draft.kind = kind;
        writes.invoices.push(invoice);
    }
    bench.commit(&bench.acme, &writes).await?;
    bench.commit(&bench.rival, &writes).await?;
    let account: AccountId = sample::of("account-6")?;
    let heads = vec![(account.clone(), sample::head(1))];
    let marks =
        vec![sample::mark("p", 10, sample::void())?, sample::mark("p", 9, sample::paid()?)?];
    bench.commit(&bench.acme, &Writes { marks, heads, ..Writes::default() }).await?;
    let mut invoices = writes.invoices;
    invoices.sort_by(|one, two| invoice_place(one).cmp(&invoice_place(two)));
    let mut facts = bench.read(&bench.acme).await?;
    pages!("invoices of an account", invoices, |after, limit| {
        facts.invoice_page(&account, after.map(invoice_place), limit)
    });
    Ok(())
}

pub(super) async fn void_frees_its_period(bench: &Bench) -> Kept {
    let mut due = sample::everything("alice", 1)?;
    bench.commit(&bench.acme, &due).await?;
    bench.commit(&bench.rival, &due).await?;
    let rival = bench.dump(&bench.rival).await?;
    issue(bench, &mut due, 2, InvoiceKind::Advance, "2026-11-01").await?;
    until(bench, Some("2026-11-01"), Some("2026-11-02"), Some(2)).await?;
    void(bench, &mut due, 2).await?;
    until(bench, Some("2026-11-01"), None, Some(1)).await?;
    void(bench, &mut due, 1).await?;
    until(bench, None, None, None).await?;
    // The same period and the same day totals, more than once.
    issue(bench, &mut due, 3, InvoiceKind::Period, "2026-10-01").await?;
    until(bench, Some("2026-11-01"), None, Some(3)).await?;
    void(bench, &mut due, 3).await?;
    until(bench, None, None, None).await?;
    issue(bench, &mut due, 4, InvoiceKind::Period, "2026-10-01").await?;
    issue(bench, &mut due, 5, InvoiceKind::Advance, "2026-11-01").await?;
    until(bench, Some("2026-11-01"), Some("2026-11-02"), Some(5)).await?;
    let parts = bench.dump(&bench.acme).await?.parts;
    let numbers = parts.iter().map(|part| (part.number, part.void));
    ensure(numbers.eq([(1, true), (3, true), (4, false)]), "parts are not void as their invoices")?;
    ensure_same(&bench.dump(&bench.rival).await?, &rival, "another tenant's invoices")
}

/// Issues an invoice of the same day totals, and looks whether all is there.
async fn issue(
    bench: &Bench,
    due: &mut Writes,
    number: u64,
    kind: InvoiceKind,
    from: &str,
) -> Kept {
    let mut invoice = sample::invoice("alice", "invoices", number, from)?;
    invoice.draft.kind = kind;
    if kind == InvoiceKind::Period {
        let first = due.invoices.first().map(|invoice| &invoice.draft.lines);
        invoice.draft.lines = first.cloned().unwrap_or_default();
    }
    let writes = Writes { invoices: vec![invoice.clone()], ..Writes::default() };
    bench.commit(&bench.acme, &writes).await?;
    due.invoices.push(invoice);
    as_due(bench, due, "after an invoice was issued").await
}

/// Makes an invoice void, and looks whether it and nothing else is.
async fn void(bench: &Bench, due: &mut Writes, number: u64) -> Kept {
    let mark = sample::mark("invoices", number, sample::void())?;
    let heads = due.heads.clone();
    let marks = vec![mark.clone()];
    bench.commit(&bench.acme, &Writes { marks, heads, ..Writes::default() }).await?;
    due.marks.push(mark);
    as_due(bench, due, "after an invoice was made void").await
}

async fn as_due(bench: &Bench, due: &Writes, when: &str) -> Kept {
    let found = bench.dump(&bench.acme).await?;
    ensure_same(&found, &Dump::of(due), when)?;
    finds(&mut *bench.read(&bench.acme).await?, &found).await
}

/// How far alice is invoiced, and which invoice was her last.
async fn until(
    bench: &Bench,
    invoiced: Option<&str>,
    advanced: Option<&str>,
    last: Option<u64>,
) -> Kept {
    let alice: AccountId = sample::of("alice")?;
    let mut facts = bench.read(&bench.acme).await?;
    let found = facts.last_invoice(&alice).await?.map(|(_, number)| number);
    ensure(found == last, format!("the last invoice is {found:?} where {last:?} is due"))?;
    let account = facts.accounts(&[alice]).await?.into_iter().next();
    let account = account.ok_or_else(|| Failed("an account is not found".into()))?;
    let days = [(account.invoiced_until, invoiced), (account.advanced_until, advanced)];
    for (found, due) in days {
        let due = due.map(sample::of).transpose()?;
        ensure(found == due, format!("an account is invoiced until {found:?}, not {due:?}"))?;
    }
    Ok(())
}

pub(super) async fn invoice_is_marked_once(bench: &Bench) -> Kept {
    let mut writes = sample::opened("alice")?;
    for number in 1..=5 {
        let day = format!("2026-12-{number:02}");
        writes.invoices.push(sample::invoice("alice", "invoices", number, &day)?);
        writes.invoices.push(sample::invoice(
            "alice",
            "others",
            number,
            &format!("2027-01-{number:02}"),
        )?);
    }
    bench.commit(&bench.acme, &writes).await?;
    bench.commit(&bench.rival, &writes).await?;
    let rival = bench.dump(&bench.rival).await?;
    let other = InvoiceState::Void { reason: "another reason".into() };
    let pairs = [
        (1, sample::paid()?, sample::paid()?),
        (2, sample::paid()?, sample::void()),
        (3, sample::void(), sample::paid()?),
        (4, sample::void(), other),
    ];
    for (number, first, second) in pairs {
        let (one, two) = (marking(number, &first)?, marking(number, &second)?);
        let both = Writes { marks: [one.marks.clone(), two.marks.clone()].concat(), ..one.clone() };
        bench.refused(&bench.acme, &both, "an invoice marked twice at once").await?;
        bench.commit(&bench.acme, &one).await?;
        let before = bench.dump(&bench.acme).await?;
        let what = format!("an invoice that is {} made {}", first.name(), second.name());
        bench.refused(&bench.acme, &two, &what).await?;
        ensure_same(&bench.dump(&bench.acme).await?, &before, &format!("after {what}"))?;
    }
    // Another number, another series and another tenant have marks of their own.
    bench.commit(&bench.acme, &marking(5, &sample::paid()?)?).await?;
    let mut others = marking(1, &sample::void())?;
    for mark in &mut others.marks {
        mark.series = sample::of("others")?;
    }
    bench.commit(&bench.acme, &others).await?;
    let marks: Vec<InvoiceMark> = bench.dump(&bench.acme).await?.marks;
    let found = marks.iter().map(|mark| (mark.series.as_str(), mark.number, mark.state.name()));
    let due = [
        ("invoices", 1, "paid"),
        ("invoices", 2, "paid"),
        ("invoices", 3, "void"),
        ("invoices", 4, "void"),
        ("invoices", 5, "paid"),
        ("others", 1, "void"),
    ];
    ensure(found.eq(due), "what became of invoices is not what was marked first")?;
    ensure_same(&bench.dump(&bench.rival).await?, &rival, "another tenant's invoices")
}

fn marking(number: u64, state: &InvoiceState) -> Made<Writes> {
    let marks = vec![sample::mark("invoices", number, state.clone())?];
    let heads = vec![(sample::of("alice")?, sample::head(1))];
    Ok(Writes { marks, heads, ..Writes::default() })
}

pub(super) async fn void_is_billed_again(bench: &Bench) -> Kept {
    let door = Door::metered(bench, "acme", &["alice"]).await?;
    let _taken = door.calls(&[("alice", "1"), ("alice", "2")]).await?;
    let _taken = door.take(&[pulse("alice", sample::key("pulse-1")?, "12.5")?]).await?;
    // In advance, then for October with what is due in advance for November.
    ensure(run(&door, "2026-10-02").await? == 1, "nothing was issued in advance")?;
    ensure(run(&door, "2026-11-02").await? == 1, "an ended period was not invoiced")?;
    let first = [draft(bench, &door, 1).await?, draft(bench, &door, 2).await?];
    let [advance, october] = &first;
    ensure(advance.kind == InvoiceKind::Advance, "the first invoice is not one in advance")?;
    ensure(october.lines.len() == 5, "October has not a line for each strategy and the next fee")?;
    // The last one goes first, and comes back as it was.
    for (number, of) in [(2, october), (3, october)] {
        turn(&door, number).await?;
        ensure(run(&door, "2026-11-02").await? == 1, "what was void was not issued again")?;
        let next = draft(bench, &door, number.saturating_add(1)).await?;
        ensure(next == *of, "what a void invoice billed is billed otherwise")?;
    }
    turn(&door, 4).await?;
    turn(&door, 1).await?;
    let dump = bench.dump(door.tenant.id()).await?;
    coheres(&dump)?;
    ensure(dump.parts.iter().all(|part| part.void), "a part of a void invoice is not void")?;
    let carried = dump.carries.iter().find(|moved| !moved.carry.is_nothing());
    ensure(carried.is_none(), "what void invoices billed is still carried")?;
    ensure(run(&door, "2026-10-02").await? == 1, "nothing was issued in advance once more")?;
    ensure(draft(bench, &door, 5).await? == *advance, "it is billed in advance otherwise")?;
    ensure(run(&door, "2026-11-02").await? == 1, "an ended period was not invoiced once more")?;
    ensure(draft(bench, &door, 6).await? == *october, "a period is billed otherwise")?;
    late_joins(bench, &door, october).await
}

/// Usage that came while an invoice was void is billed with what that one billed.
async fn late_joins(bench: &Bench, door: &Door, october: &Draft) -> Kept {
    turn(door, 6).await?;
    let _taken = door.take(&[pulse("alice", sample::key("pulse-2")?, "0.5")?]).await?;
    ensure(
        run(door, "2026-11-02").await? == 1,
        "an invoice that became void was not issued again",
    )?;
    let both = draft(bench, door, 7).await?;
    let stored = |draft: &Draft| {
        let line = draft.lines.iter().find(|line| line.strategy.as_str() == "storage");
        line.map(|line| (line.quantity.to_string(), line.parts.len()))
    };
    let (was, is) = (stored(october), stored(&both));
    ensure(was == Some(("12.5".into(), 1)), "the sample of a void invoice is another one")?;
    ensure(is == Some(("13".into(), 2)), format!("late usage made of {was:?} {is:?}"))?;
    let dump = bench.dump(door.tenant.id()).await?;
    coheres(&dump)?;
    let numbers = dump.numbers.values().flatten().copied();
    ensure(numbers.eq(1..=7), "the numbers of void invoices are given again, or skipped")
}

/// Runs invoices; how many were issued.
async fn run(door: &Door, day: &str) -> Result<usize, Failed> {
    let mut issued = 0_usize;
    for (_, outcome) in door.invoices(day).await? {
        if let RunOutcome::Issued(invoices) = outcome {
            issued = issued.saturating_add(invoices.len());
        }
    }
    Ok(issued)
}

async fn turn(door: &Door, number: u64) -> Kept {
    let _new = door.tenant.void_invoice(&sample::of("invoices")?, number, "a wrong price").await?;
    Ok(())
}

async fn draft(bench: &Bench, door: &Door, number: u64) -> Made<Draft> {
    let mut facts = bench.read(door.tenant.id()).await?;
    let invoice: Option<Invoice> = facts.invoice(&sample::of("invoices")?, number).await?;
    let missing = || Failed(format!("there is no invoice {number}"));
    invoice.map(|invoice| invoice.draft).ok_or_else(missing)
}
