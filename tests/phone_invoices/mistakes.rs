//! What clients get wrong, send twice or cannot send: they are told so, nothing is kept of it, and nobody else is harmed.

use serde_json::json;

use billing::state_hash;

use crate::{
    add_call, call, consolidated,
    kept::{Done, Kept, check},
    service::{Asked, NOW, Service},
    user,
};

#[tokio::test]
async fn a_clients_mistake_is_named_and_nothing_is_kept_of_it() -> Done {
    let changed = |field: &str, value: serde_json::Value| {
        let mut asked = call(1, "2022-07-10T10:00:00Z", 12);
        asked.json.as_mut().unwrap()[field] = value;
        asked
    };
    let (start, end) = ("start_datetime_iso_8601", "end_datetime_iso_8601");
    let talk = |start: &str, end: &str| {
        Asked::post("/call/add_call").form(&[("customer", "1"), ("start", start), ("end", end)])
    };
    let text = |path: &str, text: &str| {
        let asked = Asked::post(path).header("content-type", "application/json");
        Asked { text: Some(text.to_owned()), ..asked }
    };
    let long = "x".repeat(20_000);
    let table = [
        // Numbers beyond what anything holds.
        (changed("recipient_number", json!(99_999_999_999_999_999_999_f64)), 422),
        (changed("recipient_number", json!(u64::MAX)), 422),
        (changed("recipient_country_code", json!(5_000_000_000_u64)), 422),
        (changed("duration_in_minutes", json!(10_u64.pow(18))), 422),
        (changed("duration_in_minutes", json!(-5)), 422),
        (user(u64::MAX), 422),
        (Asked::post("/user").json(json!({ "country_code": 1, "number": 2, "zone": "Mars" })), 422),
        (Asked::post("/user").json(json!({ "country_code": 1, "number": 2, "plan": "free" })), 422),
        (add_call("9000001", "1"), 422),
        (add_call("1", "527041"), 422),
        (add_call("abc", "1"), 422),
        // Times.
        (changed(end, json!("2022-07-10T09:00:00Z")), 422),
        (changed(start, json!("2022-07-10")), 422),
        (changed(start, json!(true)), 422),
        (call(1, "2032-07-10T10:00:00Z", 12), 422),
        (call(1, "2002-07-10T10:00:00Z", 12), 422),
        (call(1, "9999-12-31T23:59:59Z", 12), 422),
        (talk("2022-10-01T10:00:00", "2022-10-01T10:00:00"), 422),
        (talk("2022-10-01T10:00:00", "2022-10-01T09:00:00"), 422),
        (talk("2021-09-01T10:00:00", "2022-10-01T09:00:00"), 422),
        (talk("2022-10-01T10:00:00", ""), 422),
        (talk("2022-10-14T10:00:00", "2022-10-15T13:00:00"), 422),
        (add_call("1", "5").form(&[("customer", "1"), ("start", "2022-10-01T10:00:00")]), 422),
        // Bodies.
        (text("/user", "{"), 422),
        (text("/user", "[1, 2]"), 422),
        (text("/user", "null"), 422),
        (text("/user/1/phone_call", &long), 413),
        (Asked::post("/user").header("content-type", "text/csv"), 422),
        (
            Asked {
                text: Some("1,2".to_owned()),
                ..Asked::post("/user").header("content-type", "text/csv")
            },
            415,
        ),
        // Paths and queries.
        (Asked::get("/user/abc"), 422),
        (Asked::get("/user/99999999999999999999999"), 404),
        (Asked::get("/call/99999999999999999999999"), 404),
        (Asked::get("/call/18446744073709551615"), 404),
        (Asked::get("/call/1000000001"), 404),
        (Asked::get("/call/5"), 404),
        (Asked::get("/invoice/18446744073709551615"), 404),
        (Asked::get("/invoice/-1"), 422),
        (Asked::get("/invoice/1.5"), 422),
        (Asked::get("/user/1/phone_call?limit=101"), 422),
        (Asked::get("/user/1/phone_call?offset=-1"), 422),
        (Asked::get("/user/1/phone_call?limit=abc"), 422),
        (Asked::get("/call/?limit=1001"), 422),
        (Asked::get("/invoice/month?customer=1&month="), 422),
        (Asked::get("/invoice/month?customer=1&month=abc"), 422),
        (Asked::get("/invoice/consolidated?customer=1&year=0"), 422),
        (Asked::post("/user/1/invoice/2022/0"), 422),
        (Asked::post("/user/1/invoice/-1/7"), 422),
        (Asked::post("/user/1/invoice/9999/12"), 422),
        (Asked::post("/user/1/invoice/1/1"), 422),
        (Asked::post("/user/77/invoice/2022/7"), 404),
        (Asked::post("/user/1/invoice/2022/7?operator=9"), 404),
        (call(77, "2022-07-10T10:00:00Z", 12), 404),
        (Asked::put("/user/1/plan?operator=9").form(&[("plan", "monthly")]), 404),
        (Asked::put("/operator/100/customer/1"), 404),
        (Asked::get("/nowhere"), 404),
        (Asked::get("/invoice/generate_invoice"), 405),
        (Asked::post("/health"), 405),
    ];
    for kept in Kept::both().await {
        let service = Service::usual(kept).await?;
        service.good(&user(1)).await?;
        let before = state_hash(service.tenant()).await?;
        for (asked, status) in &table {
            service.refused(asked, *status).await?;
            // Whatever was wrong harms nobody who comes after.
            service.get("/user/1").await?;
        }
        assert_eq!(state_hash(service.tenant()).await?, before);
        service.good(&call(1, "2022-07-10T10:00:00Z", 12)).await?;
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_call_that_is_sent_twice_counts_once() -> Done {
    for kept in Kept::both().await {
        let service = Service::usual(kept).await?;
        service.good(&user(1)).await?;
        let named = |asked: Asked| asked.header("Idempotency-Key", "call-4711");
        // Of two at once both are answered alike; the third comes on another day.
        let twice = named(add_call("1", "20"));
        let (one, two) = tokio::join!(service.good(&twice), service.good(&twice));
        let (one, two) = (one?, two?);
        service.set_clock("2022-10-20T08:00:00Z")?;
        assert_eq!((&one, &one), (&two, &service.good(&twice).await?));
        for other in [add_call("1", "21"), add_call("2", "20"), call(1, "2022-10-01T00:00:00Z", 20)]
        {
            service.refused(&named(other), 409).await?;
        }
        let call = named(call(1, "2022-10-02T00:00:00Z", 3)).header("Idempotency-Key", "call-4712");
        assert_eq!(service.good(&call).await?, service.good(&call).await?);
        let key = add_call("1", "1").header("Idempotency-Key", &"k".repeat(256));
        service.refused(&key, 422).await?;

        assert_eq!(service.get("/call/").await?.as_array().unwrap().len(), 2);
        let unknown = service.get("/call/customer?customer=2").await?;
        assert_eq!(unknown, json!([]), "a refused first call opens no account");
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn fields_may_come_in_the_query_or_with_a_get() -> Done {
    let service = Service::with_sample(Kept::on_file().await, NOW).await?;
    for (path, query) in [
        ("/call/customer", "customer=1"),
        ("/invoice/customer", "customer=1"),
        ("/invoice/consolidated", "customer=1"),
        ("/invoice/month", "customer=1&month=10"),
        ("/invoice/month", "customer_id=1&month=10"),
    ] {
        let fields: Vec<_> = query.split('&').filter_map(|field| field.split_once('=')).collect();
        let by_form = service.good(&Asked::get(path).form(&fields)).await?;
        assert_eq!(service.get(&format!("{path}?{query}")).await?, by_form, "{path}");
        assert_ne!(by_form, json!({}));
        // Who is not said, or not known, has nothing.
        for nobody in [path.to_owned(), format!("{path}?customer=77")] {
            let nothing = service.get(&nobody).await?;
            assert!([json!([]), json!({})].contains(&nothing), "{nobody}: {nothing}");
        }
    }
    service.good(&Asked::post("/call/add_call?customer=1&minutes=%203%20")).await?;
    service.stop().await
}

#[tokio::test]
async fn pages_lead_through_a_history_without_gap_or_twin() -> Done {
    for kept in Kept::both().await {
        let service = Service::usual(kept).await?;
        service.good(&user(1)).await?;
        // They come in the order opposite to that of their times.
        for minute in (0..30).rev() {
            service.good(&call(1, &format!("2022-07-10T10:{minute:02}:00Z"), 1)).await?;
        }
        let mut starts = Vec::new();
        for offset in (0..=35).step_by(7) {
            let page = service.get(&format!("/user/1/phone_call?offset={offset}&limit=7")).await?;
            let page = page.as_array().unwrap().clone();
            starts.extend(page.into_iter().map(|call| call["start_datetime_iso_8601"].to_string()));
        }
        assert!(starts.len() == 30 && starts.is_sorted());

        let mut ids = Vec::new();
        let mut after = 0;
        loop {
            let page =
                service.get(&format!("/call/customer?customer=1&limit=7&after={after}")).await?;
            let page = page.as_array().unwrap().clone();
            let Some(last) = page.last() else { break };
            after = last["id"].as_u64().unwrap();
            ids.extend(page.into_iter().map(|call| call["id"].as_u64().unwrap()));
        }
        assert_eq!(ids, (1_000_000_003..1_000_000_033).collect::<Vec<_>>());
        let newest = service.get("/call/?limit=2&offset=1").await?;
        assert_eq!(newest[0]["start_timestamp"], "2022-07-10T10:28:00");
        assert_eq!(newest.as_array().unwrap().len(), 2);
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_answer_to_a_new_call_does_not_grow_for_ever() -> Done {
    let memory = Kept::in_memory();
    let service = Service::usual(memory).await?;
    for _ in 0..120 {
        service.good(&add_call("1", "1")).await?;
    }
    let latest = service.good(&add_call("1", "2")).await?;
    let latest = latest.as_array().unwrap();
    assert_eq!((latest.len(), &latest[99]["id"]), (100, &json!(1_000_000_123_u64)));
    assert_eq!(service.get("/call/customer?customer=1").await?.as_array().unwrap().len(), 121);
    service.stop().await
}

#[tokio::test]
async fn amounts_are_written_digit_by_digit() -> Done {
    let service = Service::with_sample(Kept::on_file().await, NOW).await?;
    let text = service.ask(&consolidated("1")).await?.text;
    assert_eq!(text, r#"{"8":0.6,"9":0.3,"10":0.9}"#);
    service.good(&user(1)).await?;
    service.good(&call(4, "2022-07-10T10:00:00Z", 12_345)).await?;
    let invoice = service.ask(&Asked::post("/user/4/invoice/2022/7")).await?.text;
    assert!(invoice.contains(r#""total_minutes":12345,"total_charges":266.652,"#), "{invoice}");
    service.stop().await
}

#[tokio::test]
async fn the_front_page_shows_names_and_no_markup_of_others() -> Done {
    let service = Service::usual(Kept::on_file().await).await?;
    let page = service.ask(&Asked::get("/").header("host", "<b>phone.example:80")).await?;
    assert!(page.text.contains("on bphone.example:80 at 127.0.0.1:5000"), "{}", page.text);
    assert_eq!(service.get("/health").await?, json!({ "status": "UP" }));
    check(service.tenant()).await?;
    service.kept.close().await;
    service.refused(&Asked::get("/health"), 503).await?;
    Ok(())
}
