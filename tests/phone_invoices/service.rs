//! A service in this process, where it keeps what it knows, and what it is asked.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use clap::Parser;
use serde::Deserialize;
use serde_json::Value;
use tower::ServiceExt as _;

use billing::{Tenant, clock::SetClock};

use crate::{
    app::{self, App, ledger::Ledger, sample, tariff::Tariff},
    kept::{Done, Kept, check, same},
};

pub const NOW: &str = "2022-10-14T12:34:56Z";

pub struct Service {
    pub app: Router,
    pub ledger: Arc<Ledger>,
    pub clock: Arc<SetClock>,
    pub kept: Kept,
    tariff: Tariff,
}

/// A request as a document: fields in a form or in JSON.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub form: Option<BTreeMap<String, String>>,
    pub json: Option<Value>,
    pub text: Option<String>,
    pub headers: BTreeMap<String, String>,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    /// What is not JSON is a text.
    pub body: Value,
}

impl Asked {
    pub fn get(path: &str) -> Self {
        Self { method: "GET".to_owned(), path: path.to_owned(), ..Self::default() }
    }

    pub fn post(path: &str) -> Self {
        Self { method: "POST".to_owned(), ..Self::get(path) }
    }

    pub fn put(path: &str) -> Self {
        Self { method: "PUT".to_owned(), ..Self::get(path) }
    }

    pub fn form(self, fields: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self { form: Some(fields.iter().map(owned).collect()), ..self }
    }

    pub fn json(self, json: Value) -> Self {
        Self { json: Some(json), ..self }
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn request(&self) -> Request<Body> {
        let mut request = Request::builder().method(self.method.as_str()).uri(&self.path);
        let form = self.form.as_ref().map(|fields| {
            form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
        });
        let media_type = match (&form, &self.json) {
            (Some(_), _) => Some("application/x-www-form-urlencoded"),
            (None, Some(_)) => Some("application/json"),
            (None, None) => None,
        };
        if let Some(media_type) = media_type {
            request = request.header("content-type", media_type);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let body = form.or(self.json.as_ref().map(Value::to_string)).or(self.text.clone());
        request.body(body.map_or(Body::empty(), Body::from)).unwrap()
    }
}

impl Service {
    pub async fn start(kept: Kept, now: &str, tariff: Tariff) -> Done<Self> {
        let clock = Arc::new(SetClock::at(now.parse()?));
        let time: Arc<SetClock> = Arc::clone(&clock);
        let ledger = Arc::new(Ledger::open(kept.store(), time, tariff.clone()).await?);
        let address = "127.0.0.1:5000".to_owned();
        let app = app::router(App { ledger: Arc::clone(&ledger), greeting: None, address });
        Ok(Self { app, ledger, clock, kept, tariff })
    }

    /// With the usual tariff, on the fourteenth of October.
    pub async fn usual(kept: Kept) -> Done<Self> {
        Self::start(kept, NOW, tariff(&[])).await
    }

    pub async fn with_sample(kept: Kept, now: &str) -> Done<Self> {
        let service = Self::start(kept, now, tariff(&[])).await?;
        let loaded = sample::load(&service.ledger).await;
        same("whether samples were loaded", loaded.map_err(|told| format!("{told:?}"))?, true)?;
        Ok(service)
    }

    pub fn tenant(&self) -> &Tenant {
        &self.ledger.tenant
    }

    pub fn set_clock(&self, now: &str) -> Done {
        self.clock.set(now.parse()?);
        Ok(())
    }

    pub async fn ask(&self, asked: &Asked) -> Done<Answer> {
        answer(self.app.clone(), asked).await
    }

    /// An answer that must be good, as JSON.
    pub async fn good(&self, asked: &Asked) -> Done<Value> {
        let Answer { status, body, .. } = self.ask(asked).await?;
        same(&format!("whether {asked:?} is good ({body})"), status.is_success(), true)?;
        Ok(body)
    }

    /// An answer that must be a refusal with this status.
    pub async fn refused(&self, asked: &Asked, expected: u16) -> Done<Value> {
        let Answer { status, body, .. } = self.ask(asked).await?;
        same(&format!("the answer {body} to {asked:?}"), status.as_u16(), expected)?;
        Ok(body)
    }

    pub async fn get(&self, path: &str) -> Done<Value> {
        self.good(&Asked::get(path)).await
    }

    /// Ends at once and starts again: nothing is drained, nothing is closed.
    pub async fn restart(self) -> Done<Self> {
        let now = billing::clock::Clock::now(&*self.clock).to_string();
        Self::start(self.kept.reopened().await, &now, self.tariff).await
    }

    /// Ends once everything that is kept was recomputed.
    pub async fn stop(self) -> Done {
        check(self.tenant()).await?;
        self.kept.close().await;
        Ok(())
    }
}

pub async fn answer(app: Router, asked: &Asked) -> Done<Answer> {
    let response = app.oneshot(asked.request()).await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = to_bytes(response.into_body(), usize::MAX).await?;
    let text = String::from_utf8(body.to_vec())?;
    let body = serde_json::from_str(&text).unwrap_or_else(|_no_json| Value::from(text.as_str()));
    Ok(Answer { status, headers, text, body })
}

/// The tariff that the program has with these flags.
pub fn tariff(flags: &[&str]) -> Tariff {
    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        tariff: Tariff,
    }
    Flags::parse_from([&["phone_invoices"], flags].concat()).tariff
}
