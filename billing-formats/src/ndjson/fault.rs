//! Where in a document the fault is, without a word of what stands there.

use core::fmt;
use std::collections::BTreeSet;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use billing_core::{
    id::{AccountId, Group, ItemId, LegId, ProductId, SourceId, Unit},
    item::{Direction, Disposition, Party, Properties},
    money::{Amount, Currency, Quantity},
    time::Instant,
};

use crate::ndjson::Reason;

/// What is wrong with a text that was refused with `error`.
pub(super) fn of_error(text: &str, error: &serde_json::Error) -> Reason {
    let at = |error: &serde_json::Error| error.column().saturating_sub(1);
    match serde_json::from_str(text) {
        Ok(node) => in_document(&node).unwrap_or_else(|| Reason::Other { at: at(error) }),
        Err(error) => Reason::Syntax { at: at(&error) },
    }
}

/// What is wrong with a text, if anything.
pub(super) fn of(text: &str) -> Option<Reason> {
    in_document(&serde_json::from_str(text).ok()?)
}

/// What may stand in a place.
enum Shape {
    Object(&'static [Field]),
    Texts,
    Plain { fits: fn(&Value) -> bool, accepted: &'static str },
}

/// A name of an object.
struct Field {
    name: &'static str,
    need: Need,
    shape: Shape,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Always,
    OrAbsent,
    OrNull,
}

const ID: &str = "text of 1 to 255 bytes without control characters";
const INSTANT: &str =
    "an instant as RFC 3339 text with an offset, such as \"2026-01-31T12:00:00Z\"";
const PARTY: &str = "text of at most 255 bytes without control characters";
const PROPERTIES: &str = "an object of up to 50 names of 1 to 64 bytes, with texts of up to 255 bytes, without control characters";

const DOCUMENT: Shape = Shape::Object(&[
    field("key", Need::Always, Shape::Object(&KEY)),
    field("account", Need::OrNull, plain::<AccountId>(ID)),
    field("call", Need::OrAbsent, Shape::Object(&CALL)),
    field("pulse", Need::OrAbsent, Shape::Object(&PULSE)),
    field("one_off", Need::OrAbsent, Shape::Object(&ONE_OFF)),
]);
const KEY: [Field; 4] = [
    field("source", Need::Always, plain::<SourceId>(ID)),
    field("id", Need::Always, plain::<ItemId>(ID)),
    field("leg", Need::OrNull, plain::<LegId>(ID)),
    field(
        "partial",
        Need::OrNull,
        plain::<core::num::NonZeroU32>("a whole number from 1 to 4294967295"),
    ),
];
const CALL: [Field; 6] = [
    field("start", Need::Always, plain::<Instant>(INSTANT)),
    field(
        "duration_ms",
        Need::Always,
        plain::<u64>("a whole number from 0 to 18446744073709551615"),
    ),
    field("caller", Need::Always, plain::<Party>(PARTY)),
    field("callee", Need::Always, plain::<Party>(PARTY)),
    field("disposition", Need::Always, plain::<Disposition>("answered, no_answer, busy or failed")),
    field("direction", Need::Always, plain::<Direction>("outbound, inbound or internal")),
];
const PULSE: [Field; 5] = [
    field("at", Need::Always, plain::<Instant>(INSTANT)),
    field("product", Need::Always, plain::<ProductId>(ID)),
    field("unit", Need::Always, plain::<Unit>(ID)),
    field("amount", Need::Always, plain::<Quantity>("a quantity as text, such as \"1.5\"")),
    field("properties", Need::OrAbsent, Shape::Texts),
];
const ONE_OFF: [Field; 3] = [
    field("at", Need::Always, plain::<Instant>(INSTANT)),
    field("name", Need::Always, plain::<Group>(ID)),
    field("price", Need::Always, Shape::Object(&PRICE)),
];
const PRICE: [Field; 2] = [
    field("amount", Need::Always, plain::<Amount>("an amount as text, such as \"1.62\"")),
    field(
        "currency",
        Need::Always,
        plain::<Currency>("an ISO 4217 currency code as text, such as \"EUR\""),
    ),
];

const fn field(name: &'static str, need: Need, shape: Shape) -> Field {
    Field { name, need, shape }
}

const fn plain<T: DeserializeOwned>(accepted: &'static str) -> Shape {
    Shape::Plain { fits: |value| T::deserialize(value).is_ok(), accepted }
}

fn in_document(node: &Node) -> Option<Reason> {
    in_node(node, &DOCUMENT, "document")
}

fn in_node(node: &Node, shape: &Shape, place: &str) -> Option<Reason> {
    let value = |accepted| Some(Reason::Value { place: place.to_owned(), accepted });
    match (shape, node) {
        (Shape::Plain { fits, .. }, Node::Plain(plain)) if fits(plain) => None,
        (Shape::Plain { accepted, .. }, _) => value(accepted),
        (Shape::Object(fields), Node::Object(pairs)) => in_object(pairs, fields, place),
        (Shape::Object(_), Node::Plain(_)) => value("an object"),
        (Shape::Texts, Node::Object(pairs)) => {
            in_names(pairs, place).or_else(|| if fit(pairs) { None } else { value(PROPERTIES) })
        }
        (Shape::Texts, Node::Plain(_)) => value(PROPERTIES),
    }
}

fn in_object(pairs: &[(String, Node)], fields: &'static [Field], place: &str) -> Option<Reason> {
    if let Some(twice) = in_names(pairs, place) {
        return Some(twice);
    }
    let is_known = |name: &String| fields.iter().any(|field| field.name == name);
    if !pairs.iter().all(|(name, _)| is_known(name)) {
        let accepted = fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ");
        return Some(Reason::Unknown { place: place.to_owned(), accepted });
    }
    fields.iter().find_map(|field| in_field(pairs, field, place))
}

fn in_field(pairs: &[(String, Node)], field: &Field, object: &str) -> Option<Reason> {
    let place = match object {
        "document" => field.name.to_owned(),
        object => format!("{object}.{}", field.name),
    };
    let node = pairs.iter().find(|(name, _)| field.name == name).map(|(_, node)| node);
    match (node, field.need) {
        (None, Need::Always) => Some(Reason::Missing { place }),
        (None, Need::OrAbsent | Need::OrNull) | (Some(Node::Plain(Value::Null)), Need::OrNull) => {
            None
        }
        (Some(node), _) => in_node(node, &field.shape, &place),
    }
}

fn in_names(pairs: &[(String, Node)], place: &str) -> Option<Reason> {
    let mut names = BTreeSet::new();
    let is_new = pairs.iter().all(|(name, _)| names.insert(name));
    if is_new { None } else { Some(Reason::Twice { place: place.to_owned() }) }
}

/// Whether these can be properties.
fn fit(pairs: &[(String, Node)]) -> bool {
    let text = |(name, node): &'_ (String, Node)| match node {
        Node::Plain(Value::String(text)) => Some((name.clone(), text.clone())),
        Node::Plain(_) | Node::Object(_) => None,
    };
    let texts: Option<Vec<_>> = pairs.iter().map(text).collect();
    texts.is_some_and(|texts| Properties::try_new(texts).is_ok())
}

/// A document in which names may stand twice.
enum Node {
    Object(Vec<(String, Self)>),
    Plain(Value),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Plain(Value::Null))
    }

    fn visit_bool<E: Error>(self, v: bool) -> Result<Node, E> {
        Ok(Node::Plain(v.into()))
    }

    fn visit_i64<E: Error>(self, v: i64) -> Result<Node, E> {
        Ok(Node::Plain(v.into()))
    }

    fn visit_u64<E: Error>(self, v: u64) -> Result<Node, E> {
        Ok(Node::Plain(v.into()))
    }

    fn visit_f64<E: Error>(self, v: f64) -> Result<Node, E> {
        Ok(Node::Plain(v.into()))
    }

    fn visit_str<E: Error>(self, v: &str) -> Result<Node, E> {
        Ok(Node::Plain(v.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        // No place takes a list, so what is in it does not matter.
        while seq.next_element::<serde::de::IgnoredAny>()?.is_some() {}
        Ok(Node::Plain(Value::Array(Vec::new())))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Node::Object(pairs))
    }
}
