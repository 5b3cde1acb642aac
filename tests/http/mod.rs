//! A request over HTTP as a document, whose body is JSON or any text.

use axum::{
    body::Body,
    http::{Request, request::Builder},
};
use serde::Deserialize;
use serde_json::Value;

use crate::kept::Done;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    method: String,
    path: String,
    json: Option<Value>,
    text: Option<String>,
    content_type: Option<String>,
}

impl Http {
    pub fn request(&self) -> Done<Request<Body>> {
        let mut request = request(&self.method, &self.path);
        let json = self.json.as_ref().map(|_| "application/json");
        if let Some(content_type) = self.content_type.as_deref().or(json) {
            request = request.header("content-type", content_type);
        }
        let body = self.json.as_ref().map(Value::to_string).or(self.text.clone());
        Ok(request.body(body.map_or(Body::empty(), Body::from))?)
    }
}

pub fn request(method: &str, path: &str) -> Builder {
    Request::builder().method(method).uri(path)
}
