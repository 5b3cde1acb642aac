//! Plans, operators and prices: who pays what, and since when.

use std::error::Error;

use serde_json::{Value, json};

use crate::{
    add_call, call, consolidated, generate, invoice,
    kept::{Done, Kept},
    service::{Asked, NOW, Service, tariff},
    sums, user,
};

#[tokio::test]
async fn each_user_has_a_plan_of_its_own() -> Done {
    for kept in Kept::both().await {
        let service = Service::usual(kept).await?;
        for (number, plan) in [(1, "postpaid"), (2, "monthly"), (3, "prepaid")] {
            let user = json!({ "country_code": 1, "number": number, "plan": plan });
            assert_eq!(service.good(&Asked::post("/user").json(user)).await?["plan"], plan);
            service.good(&call(number, "2022-10-05T10:00:00Z", 300)).await?;
        }
        // What is prepaid is invoiced before the month has ended, and nothing else is.
        assert_eq!(sums(&service.good(&invoice(3, "2022/10")).await?), (json!(0), json!(5.4)));
        service.refused(&invoice(3, "2022/10"), 409).await?;
        service.refused(&invoice(2, "2022/10"), 409).await?;
        service.good(&Asked::put("/user/2/plan").form(&[("plan", "postpaid")])).await?;

        service.set_clock("2022-11-01T00:00:00Z")?;
        let october = async |user| {
            Ok::<_, Box<dyn Error>>(sums(&service.good(&invoice(user, "2022/10")).await?))
        };
        // 300 minutes are 6 dollars: of these 5 are covered, and 5 more are prepaid for November.
        assert_eq!(october(1).await?, (json!(300), json!(6.48)));
        assert_eq!(october(2).await?, (json!(300), json!(10.8)));
        assert_eq!(october(3).await?, (json!(300), json!(6.48)));
        // What was paid ahead is so once, also if the invoice that said it is made void.
        service.good(&Asked::post("/invoice/4/void").form(&[("reason", "smudged")])).await?;
        assert_eq!(october(3).await?, (json!(300), json!(6.48)));
        assert_eq!(service.get("/user/2").await?["plan"], "postpaid");
        service.good(&call(2, "2022-11-01T00:00:00Z", 10)).await?;
        assert_eq!(service.good(&consolidated("2")).await?, json!({ "10": 10.8, "11": 0.216 }));
        // A fixed amount is for no month before its plan.
        service.refused(&call(3, "2022-09-30T23:59:59Z", 1), 422).await?;
        service.refused(&invoice(3, "2022/9"), 409).await?;
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn customers_have_several_operators_and_operators_several_customers() -> Done {
    for kept in Kept::both().await {
        let service = Service::with_sample(kept, NOW).await?;
        let join = |operator: u8, customer: u8| {
            Asked::put(&format!("/operator/{operator}/customer/{customer}"))
        };
        let joined = service.good(&join(1, 2).form(&[("plan", "monthly")])).await?;
        assert_eq!(joined, json!({ "operator_id": 1, "customer_id": 2, "plan": "monthly" }));
        assert_eq!(service.good(&join(1, 2)).await?, joined, "done again it stays");
        service.refused(&join(1, 77), 404).await?;
        let with = |list: Value| {
            let pair = |it: &Value| {
                (it["operator_id"].as_u64().unwrap(), it["customer_id"].as_u64().unwrap())
            };
            list.as_array().unwrap().iter().map(pair).collect::<Vec<_>>()
        };
        assert_eq!(with(service.get("/user/2/operator").await?), [(1, 2), (3, 2)]);
        assert_eq!(with(service.get("/operator/3/customer").await?), [(3, 2), (3, 3)]);

        // Under one operator talk is in the fixed amount, under another each minute counts.
        for operator in ["1", "3"] {
            let fields = [("customer", "2"), ("minutes", "20"), ("operator", operator)];
            service.good(&Asked::post("/call/add_call").form(&fields)).await?;
        }
        let calls = service.get("/call/customer?customer=2").await?;
        let ids: Vec<_> = calls.as_array().unwrap().iter().map(|call| &call["id"]).collect();
        assert_eq!(ids, [2_000_000_005_u64, 2_010_000_003, 2_030_000_003]);
        let after = service.get("/call/customer?customer=2&after=2010000003").await?;
        assert_eq!(after, json!([calls[2]]));
        assert_eq!(service.good(&consolidated("2")).await?, json!({ "10": 10.6 }));
        let fields = [("customer", "1"), ("minutes", "20"), ("operator", "3")];
        service.refused(&Asked::post("/call/add_call").form(&fields), 404).await?;

        service.set_clock("2022-11-01T00:00:00Z")?;
        let by_operator = service.good(&invoice(2, "2022/10?operator=3")).await?;
        assert_eq!(
            (&by_operator["total_minutes"], &by_operator["user_id"]),
            (&json!(20), &json!(2))
        );
        assert_eq!(service.good(&generate("2")).await?, json!({ "10": 10.6 }));
        assert_eq!(service.good(&generate("2")).await?, json!({ "10": 10.6 }));
        // The amount for November is on the running bill.
        assert_eq!(service.good(&consolidated("2")).await?, json!({ "10": 10.6, "11": 10 }));
        service.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn new_prices_hold_for_those_who_come_after() -> Done {
    let service = Service::usual(Kept::on_file().await).await?;
    service.good(&add_call("1", "10")).await?;
    let kept = service.kept.clone();
    let dearer = Service::start(kept, NOW, tariff(&["--per-minute", "0.035"])).await?;
    dearer.good(&add_call("1", "10")).await?;
    dearer.good(&add_call("2", "10")).await?;
    assert_eq!(dearer.good(&consolidated("1")).await?, json!({ "10": 0.4 }));
    assert_eq!(dearer.good(&consolidated("2")).await?, json!({ "10": 0.35 }));
    assert_eq!(dearer.get("/invoice/customer?customer=2").await?["10"][0][0]["rate"], 0.35);
    dearer.stop().await
}

#[tokio::test]
async fn the_usual_plan_is_for_those_who_sign_up() -> Done {
    let monthly = tariff(&["--plan", "monthly"]);
    let service = Service::start(Kept::on_file().await, NOW, monthly).await?;
    assert_eq!(service.good(&user(1)).await?["plan"], "monthly");
    // A customer whom a call opened may be a mistyped number, and owes that call alone.
    service.good(&add_call("9", "10")).await?;
    assert_eq!(service.good(&consolidated("9")).await?, json!({ "10": 0.2 }));
    assert_eq!(service.good(&consolidated("1")).await?, json!({ "10": 10.8 }));
    let nameless = service.get("/user/9").await?;
    assert_eq!((&nameless["plan"], &nameless["number"]), (&json!("postpaid"), &Value::Null));
    service.stop().await
}
