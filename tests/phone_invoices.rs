//! The example service answers as its table of cases says, on both stores, and bills every month of everybody once.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../examples/phone_invoices/app/mod.rs"]
mod app;
mod cases;
mod kept;
#[path = "phone_invoices/mistakes.rs"]
mod mistakes;
#[path = "phone_invoices/plans.rs"]
mod plans;
#[path = "phone_invoices/service.rs"]
mod service;
#[path = "phone_invoices/table.rs"]
mod table;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use billing::Amount;

use app::sample;
use kept::{Done, Kept};
use service::{Asked, NOW, Service, answer, tariff};

fn user(number: u64) -> Asked {
    Asked::post("/user").json(json!({ "country_code": 1, "number": number }))
}

/// A call of a user that began then; where it ended is left to the minutes.
fn call(user: u64, start: &str, minutes: u64) -> Asked {
    Asked::post(&format!("/user/{user}/phone_call")).json(json!({
        "recipient_country_code": 48, "recipient_number": 987_123_654,
        "duration_in_minutes": minutes,
        "start_datetime_iso_8601": start, "end_datetime_iso_8601": start,
    }))
}

fn invoice(user: u64, month: &str) -> Asked {
    Asked::post(&format!("/user/{user}/invoice/{month}"))
}

fn add_call(customer: &str, minutes: &str) -> Asked {
    Asked::post("/call/add_call").form(&[("customer", customer), ("minutes", minutes)])
}

fn consolidated(customer: &str) -> Asked {
    Asked::get("/invoice/consolidated").form(&[("customer", customer)])
}

fn generate(customer: &str) -> Asked {
    Asked::post("/invoice/generate_invoice").form(&[("customer", customer)])
}

/// The minutes and charges of an invoice.
fn sums(invoice: &Value) -> (Value, Value) {
    (invoice["total_minutes"].clone(), invoice["total_charges"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_clients_at_once_lose_nothing_and_bill_nobody_twice() -> Done {
    for kept in Kept::both().await {
        let service = Service::usual(kept).await?;
        // Each client signs somebody up, and then all of them report the calls of all users and ask for their invoices.
        let client = |client: u64| {
            let app = service.app.clone();
            tokio::spawn(async move {
                let ask = async |asked: Asked| answer(app.clone(), &asked).await.unwrap();
                let id = ask(user(client + 1)).await.body["id"].as_u64().unwrap();
                for user in 1..=8 {
                    for minute in 0..5 {
                        // Not everybody has signed up yet.
                        while ask(call(user, &format!("2022-07-05T10:0{minute}:00Z"), 3))
                            .await
                            .status
                            != 201
                        {
                            tokio::task::yield_now().await;
                        }
                    }
                }
                let mut issued = Vec::new();
                for user in 1..=8 {
                    issued.push((user, ask(invoice(user, "2022/9")).await.status.as_u16()));
                }
                (id, issued)
            })
        };
        let clients: Vec<_> = (0..8).map(client).collect();
        let (mut ids, mut issued) = (BTreeSet::new(), Vec::new());
        for client in clients {
            let (id, answers) = client.await?;
            ids.insert(id);
            issued.extend(answers);
        }
        assert_eq!(ids, (1..=8).collect());
        for user in 1..=8 {
            let mut answers: Vec<_> =
                issued.iter().filter(|(of, _)| *of == user).map(|(_, it)| *it).collect();
            answers.sort_unstable();
            assert_eq!(answers, [201, 409, 409, 409, 409, 409, 409, 409]);
            // What came after the invoice stands on the next one: in all 120 minutes at 0.02, with 8 % tax.
            service.set_clock("2022-11-01T00:00:00Z")?;
            service.good(&invoice(user, "2022/10")).await?;
            let calls = service.get(&format!("/user/{user}/phone_call")).await?;
            assert_eq!(calls.as_array().unwrap().len(), 40);
            assert!(calls.as_array().unwrap().iter().all(|call| call["invoice_id"].is_u64()));
            let invoices = service.tenant().invoices(&user.to_string().parse()?).await?;
            let totals = invoices.iter().map(|invoice| invoice.draft.taxed.total);
            assert_eq!(
                totals.into_iter().try_fold(Amount::ZERO, Amount::checked_add)?,
                "2.592".parse()?
            );
            service.set_clock(NOW)?;
        }
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn everything_is_there_after_a_stop_at_any_moment() -> Done {
    let service = Service::with_sample(Kept::on_file().await, NOW).await?;
    service.good(&user(123_456_789)).await?;
    service.good(&call(4, "2022-07-01T00:00:00Z", 30)).await?;
    service.good(&invoice(4, "2022/7")).await?;
    service.good(&Asked::post("/invoice/4/payment").form(&[("on", "2022-09-01")])).await?;
    let paths = [
        "/call/",
        "/call/customer?customer=1",
        "/invoice/",
        "/invoice/customer?customer=1",
        "/invoice/consolidated?customer=4",
        "/user/4",
        "/user/4/phone_call",
        "/call/4000000003",
        "/invoice/4",
        "/operator/3/customer",
        "/user/2/operator",
    ];
    let mut before = Vec::new();
    for path in paths {
        before.push(service.get(path).await?);
    }
    let service = service.restart().await?;
    for (path, before) in paths.into_iter().zip(before) {
        assert_eq!(service.get(path).await?, before, "{path}");
    }
    // Numbers go on where they stopped, and samples are loaded once.
    assert_eq!(service.good(&user(5)).await?["id"], 5);
    assert!(matches!(sample::load(&service.ledger).await, Ok(false)));
    service.good(&call(4, "2022-08-01T00:00:00Z", 1)).await?;
    assert_eq!(service.good(&invoice(4, "2022/8")).await?["id"], 5);
    service.stop().await
}

#[tokio::test]
async fn every_user_has_an_invoice_for_every_month() -> Done {
    for kept in Kept::both().await {
        let service = Service::usual(kept).await?;
        for id in 1..=3 {
            service.good(&user(id)).await?;
            service.good(&call(id, "2022-07-10T10:00:00Z", 10 * id)).await?;
        }
        for id in 1..=3 {
            let invoice = service.good(&invoice(id, "2022/7")).await?;
            assert_eq!((&invoice["user_id"], &invoice["id"]), (&json!(id), &json!(id)));
            assert_eq!(invoice["total_minutes"], 10 * id);
        }
        let taken = service.refused(&invoice(2, "2022/7"), 409).await?;
        assert_eq!(taken["error"], "Invoice phone-000002 for 7/2022 already exists!");
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn late_calls_stand_on_the_next_invoice_as_the_difference() -> Done {
    for kept in Kept::both().await {
        let service = Service::start(kept, "2022-08-14T12:00:00Z", tariff(&[])).await?;
        service.good(&user(1)).await?;
        service.good(&call(1, "2022-07-10T10:00:00Z", 30)).await?;
        assert_eq!(sums(&service.good(&invoice(1, "2022/7")).await?), (json!(30), json!(0.648)));
        service.good(&call(1, "2022-07-11T10:00:00Z", 9)).await?;
        service.good(&call(1, "2022-08-02T10:00:00Z", 20)).await?;
        service.refused(&invoice(1, "2022/7"), 409).await?;
        // The running bill knows before the invoice does.
        assert_eq!(service.good(&consolidated("1")).await?, json!({ "7": 0.648, "8": 0.6264 }));

        service.set_clock("2022-09-01T00:00:00Z")?;
        assert_eq!(sums(&service.good(&invoice(1, "2022/8")).await?), (json!(29), json!(0.6264)));
        assert_eq!(service.good(&consolidated("1")).await?, json!({ "7": 0.648, "8": 0.6264 }));
        let calls = service.get("/user/1/phone_call").await?;
        let ids: Vec<_> =
            calls.as_array().unwrap().iter().map(|call| &call["invoice_id"]).collect();
        assert_eq!(ids, [1, 2, 2]);
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn months_begin_when_they_begin_for_the_user_also_around_a_change_of_clocks() -> Done {
    // In Berlin clocks are one hour ahead of UTC until 27 March and from 30 October 2022 on, two hours in between.
    let cases = [
        ("2022-02-28T22:59:59.999999Z", "2022/2"),
        ("2022-02-28T23:00:00Z", "2022/3"),
        ("2022-03-31T21:59:59.999999Z", "2022/3"),
        ("2022-03-31T22:00:00Z", "2022/4"),
        ("2022-09-30T21:59:59.500Z", "2022/9"),
        ("2022-09-30T22:00:00Z", "2022/10"),
        ("2022-10-31T22:59:59.999999Z", "2022/10"),
        ("2022-10-31T23:00:00Z", "2022/11"),
        // Without an offset it is what the clock on the wall shows; at 02:30 on 30 October it does so twice.
        ("2022-04-01T00:00:00", "2022/4"),
        ("2022-10-30T02:30:00", "2022/10"),
        ("2024-02-29T23:59:59.999999", "2024/2"),
    ];
    for (start, month) in cases {
        let memory = Kept::in_memory();
        let service = Service::start(memory, "2024-06-01T00:00:00Z", tariff(&[])).await?;
        let berlin = json!({ "country_code": 49, "number": 301, "zone": "Europe/Berlin" });
        service.good(&Asked::post("/user").json(berlin)).await?;
        service.good(&call(1, start, 7)).await?;
        let invoice = service.good(&invoice(1, month)).await?;
        assert_eq!(sums(&invoice), (json!(7), json!(0.1512)), "{start}");
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_month_is_invoiced_from_its_local_end_on() -> Done {
    let service =
        Service::start(Kept::on_file().await, "2022-07-31T21:59:59.999999Z", tariff(&[])).await?;
    for (number, zone) in [(1, "Europe/Berlin"), (2, "America/New_York")] {
        let user = json!({ "country_code": 1, "number": number, "zone": zone });
        service.good(&Asked::post("/user").json(user)).await?;
    }
    let early = service.refused(&invoice(1, "2022/7"), 409).await?;
    let said =
        "2022-07-01..2022-08-01 has not ended: it can be invoiced from 2022-07-31T22:00:00Z on";
    assert_eq!(early["error"], said);
    service.set_clock("2022-07-31T22:00:00Z")?;
    service.good(&invoice(1, "2022/7")).await?;
    service.refused(&invoice(2, "2022/7"), 409).await?;
    service.set_clock("2022-08-01T04:00:00Z")?;
    service.good(&invoice(2, "2022/7")).await?;
    for month in ["2022/8", "2022/12", "9998/12"] {
        service.refused(&invoice(1, month), 409).await?;
    }
    service.stop().await
}

#[tokio::test]
async fn the_first_of_a_month_is_the_customers() -> Done {
    let berlin = tariff(&["--zone", "Europe/Berlin"]);
    let service = Service::start(Kept::on_file().await, "2022-09-15T10:00:00Z", berlin).await?;
    service.good(&add_call("7", "15")).await?;
    // In Berlin it is half past midnight.
    service.set_clock("2022-09-30T22:30:00Z")?;
    assert_eq!(service.good(&generate("7")).await?, json!({ "9": 0.3 }));
    let listed = service.get("/invoice/").await?;
    assert_eq!(listed[0]["date_billed"], "2022-10-01T00:30:00");
    service.set_clock("2022-10-01T22:00:00Z")?;
    assert_eq!(service.ask(&generate("7")).await?.status, 302);
    service.stop().await
}

#[tokio::test]
async fn on_other_days_the_running_month_is_shown() -> Done {
    for kept in Kept::both().await {
        let service = Service::with_sample(kept, NOW).await?;
        let answer = service.ask(&generate("1")).await?;
        assert_eq!(answer.status, 302);
        let place = answer.headers["location"].to_str()?;
        assert_eq!(service.get(place).await?, json!({ "10": 0.9 }));
        assert_eq!(service.get("/invoice/").await?.as_array().unwrap().len(), 3);
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn januarys_first_invoices_december() -> Done {
    let service =
        Service::start(Kept::on_file().await, "2022-12-31T23:00:00Z", tariff(&[])).await?;
    service.good(&add_call("1", "7")).await?;
    service.set_clock("2023-01-01T08:00:00Z")?;
    assert_eq!(service.good(&generate("1")).await?, json!({ "12": 0.14 }));
    service.stop().await
}

#[tokio::test]
async fn the_same_month_of_two_years_makes_two_sums() -> Done {
    for kept in Kept::both().await {
        let service = Service::start(kept, "2022-09-20T12:00:00Z", tariff(&[])).await?;
        for (start, end) in [
            ("2021-09-10T10:00:00", "2021-09-10T10:30:00"),
            ("2021-10-10T10:00:00", "2021-10-10T10:10:00"),
            ("2022-09-10T10:00:00", "2022-09-10T10:20:00"),
        ] {
            let fields = [("customer", "1"), ("start", start), ("end", end)];
            service.good(&Asked::post("/call/add_call").form(&fields)).await?;
        }
        assert_eq!(service.good(&consolidated("1")).await?, json!({ "9": 0.4, "10": 0.2 }));
        let in_2021 = service.get("/invoice/consolidated?customer=1&year=2021").await?;
        assert_eq!(in_2021, json!({ "9": 0.6, "10": 0.2 }));
        let month = service.get("/invoice/month?customer=1&month=9&year=2021").await?;
        assert_eq!(month, json!({ "9": 0.6 }));
        let items = service.get("/invoice/customer?customer=1&year=2021").await?;
        assert_eq!(
            items["9"],
            json!([[{ "datetime": "09/10/2021, 10:00", "duration": 30, "rate": 0.6 }]])
        );

        service.set_clock("2022-10-01T00:00:00Z")?;
        assert_eq!(service.good(&generate("1")).await?, json!({ "9": 0.4 }));
        let billed = service.get("/invoice/").await?;
        let billed: Vec<_> =
            billed.as_array().unwrap().iter().map(|it| &it["amount_billed"]).collect();
        assert_eq!(billed, [0.4, 0.2, 0.6]);
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn months_are_invoiced_in_their_order() -> Done {
    let service = Service::usual(Kept::on_file().await).await?;
    service.good(&user(1)).await?;
    for (start, minutes) in [("2022-05-10T10:00:00Z", 5), ("2022-07-10T10:00:00Z", 7)] {
        service.good(&call(1, start, minutes)).await?;
    }
    // May gets its invoice first; June, in which nothing happened, is closed without one.
    assert_eq!(service.good(&invoice(1, "2022/7")).await?["identifier"], "phone-000002");
    let may = service.refused(&invoice(1, "2022/5"), 409).await?;
    assert_eq!(may["error"], "Invoice phone-000001 for 5/2022 already exists!");
    let june = service.refused(&invoice(1, "2022/6"), 409).await?;
    assert!(june["error"].as_str().unwrap().contains("is closed"), "{june}");
    // A month without calls that is asked for in time has an invoice of nothing, and that one stays.
    let august = service.good(&invoice(1, "2022/8")).await?;
    assert_eq!(sums(&august), (json!(0), json!(0)));
    assert_eq!(service.get("/invoice/3").await?, august);
    service.refused(&invoice(1, "2022/8"), 409).await?;
    service.stop().await
}

#[tokio::test]
async fn an_invoice_is_paid_once_or_void_and_billed_again() -> Done {
    for kept in Kept::both().await {
        let service = Service::usual(kept).await?;
        service.good(&user(1)).await?;
        service.good(&call(1, "2022-07-10T10:00:00Z", 7)).await?;
        service.good(&invoice(1, "2022/7")).await?;
        let (pay, void) = (Asked::post("/invoice/1/payment"), Asked::post("/invoice/1/void"));
        service.refused(&void, 422).await?;
        let void = void.form(&[("reason", "the wrong address")]);
        for _ in 0..2 {
            assert_eq!(service.good(&void).await?["state"], "void");
        }
        service.refused(&pay, 409).await?;
        assert_eq!(service.get("/call/1000000003").await?["invoice_id"], Value::Null);
        assert_eq!(service.good(&consolidated("1")).await?, json!({ "7": 0.1512 }));

        let again = service.good(&invoice(1, "2022/7")).await?;
        assert_eq!((&again["id"], sums(&again)), (&json!(2), (json!(7), json!(0.1512))));
        assert_eq!(service.get("/call/1000000003").await?["invoice_id"], 2);
        let pay = Asked::post("/invoice/2/payment");
        service.refused(&pay.clone().form(&[("on", "2022-10-15")]), 422).await?;
        for _ in 0..2 {
            assert_eq!(service.good(&pay).await?["date_paid"], "2022-10-14");
        }
        service.refused(&pay.clone().form(&[("on", "2022-10-13")]), 409).await?;
        service.refused(&Asked::post("/invoice/2/void").form(&[("reason", "x")]), 409).await?;
        service.refused(&Asked::post("/invoice/3/payment"), 404).await?;
        let listed = service.get("/invoice/").await?;
        let states: Vec<_> =
            listed.as_array().unwrap().iter().map(|it| (&it["date_paid"], &it["state"])).collect();
        assert_eq!(
            states,
            [(&json!("2022-10-14"), &json!("paid")), (&Value::Null, &json!("void"))]
        );
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_clients_who_generate_at_once_make_one_invoice() -> Done {
    for kept in Kept::both().await {
        let service = Service::with_sample(kept, "2022-10-01T12:34:56Z").await?;
        let client = || {
            let app = service.app.clone();
            tokio::spawn(async move { answer(app, &generate("1")).await.unwrap().body })
        };
        let clients: Vec<_> = (0..8).map(|_| client()).collect();
        for client in clients {
            assert_eq!(client.await?, json!({ "9": 0.3 }));
        }
        assert_eq!(service.get("/invoice/").await?.as_array().unwrap().len(), 5);
        service.stop().await?;
    }
    Ok(())
}
