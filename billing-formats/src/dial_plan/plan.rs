//! A checked dial plan, ready to be asked.

use serde::{Deserialize, Serialize};

use billing_core::{item::Party, number::PhoneNumber};

use crate::dial_plan::{Dialled, InvalidDialPlan, Rules, invalid};

/// A checked dial plan, ready to be asked.
///
/// # Examples
///
/// ```
/// use billing_core::item::Party;
/// use billing_formats::dial_plan::DialPlan;
///
/// let germany: DialPlan = serde_json::from_str(
///     r#"{"country": "49", "international_prefixes": ["00"], "national_prefix": "0", "area_code": "30",
///         "short_codes": ["110", "112"], "special_prefixes": ["*"], "internal_digits_max": 3}"#,
/// )?;
/// let normal = |dialled: &str| Ok::<_, Box<dyn std::error::Error>>(
///     Party::from(germany.normalize(&dialled.parse()?)).as_str().to_owned(),
/// );
/// assert_eq!(normal("(0711) 123-456")?, "+49711123456");
/// assert_eq!(normal("123 45 67")?, "+49301234567");
/// assert_eq!(normal("0033 1 23 45 67 89")?, "+33123456789");
/// assert_eq!(normal("+49 (0)711 123456")?, "+49711123456");
/// assert_eq!(normal("112")?, "112");
/// assert_eq!(normal("anonymous")?, "anonymous");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Rules", into = "Rules")]
pub struct DialPlan(Rules);

/// What a number without the characters that are left out is.
enum Sort {
    E164(PhoneNumber),
    Short,
    Internal,
    Unknown,
}

impl DialPlan {
    /// Makes the rules ready to be asked.
    ///
    /// # Errors
    ///
    /// [`InvalidDialPlan`], which names the field.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::dial_plan::{DialPlan, InvalidDialPlan, Rules};
    ///
    /// let mut rules = Rules::new("49");
    /// rules.short_codes = vec!["112".into(), "fire".into()];
    /// assert_eq!(DialPlan::try_new(rules), Err(InvalidDialPlan::ShortCode { place: 2 }));
    /// ```
    pub fn try_new(rules: Rules) -> Result<Self, InvalidDialPlan> {
        invalid::check(&rules)?;
        Ok(Self(rules))
    }

    /// The rules, as they were given.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::dial_plan::{DialPlan, Rules};
    ///
    /// assert_eq!(DialPlan::try_new(Rules::new("39"))?.rules().country, "39");
    /// # Ok::<(), billing_formats::dial_plan::InvalidDialPlan>(())
    /// ```
    #[must_use]
    pub const fn rules(&self) -> &Rules {
        &self.0
    }

    /// What was meant by what was dialled.
    ///
    /// A number that would have more than 15 digits, and whatever the plan does not know, is unchanged.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_formats::dial_plan::{DialPlan, Dialled, Rules};
    ///
    /// let mut rules = Rules::new("1");
    /// rules.international_prefixes = vec!["011".into()];
    /// rules.national_prefix = Some("1".into());
    /// rules.national_digits = Some(10);
    /// let north_america = DialPlan::try_new(rules)?;
    ///
    /// let number = Dialled::E164("12025550123".parse()?);
    /// assert_eq!(north_america.normalize(&"1 (202) 555-0123".parse()?), number);
    /// assert_eq!(north_america.normalize(&"202-555-0123".parse()?), number);
    /// let local = "555-0123".parse()?;
    /// assert_eq!(north_america.normalize(&local), Dialled::Unchanged(local));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn normalize(&self, dialled: &Party) -> Dialled {
        let plain = self.plain(dialled.as_str());
        // What is left of a party always is one.
        let kept = || plain.parse().unwrap_or_else(|_| dialled.clone());
        match self.sort(&plain) {
            Sort::E164(number) => Dialled::E164(number),
            Sort::Short => Dialled::Short(kept()),
            Sort::Internal => Dialled::Internal(kept()),
            Sort::Unknown => Dialled::Unchanged(dialled.clone()),
        }
    }

    fn sort(&self, plain: &str) -> Sort {
        let rules = &self.0;
        let begins = |prefix: &String| plain.starts_with(prefix.as_str());
        if rules.short_codes.iter().any(|code| code == plain)
            || rules.special_prefixes.iter().any(begins)
        {
            return Sort::Short;
        }
        if let Some(international) = plain.strip_prefix('+') {
            return number(&[], international);
        }
        if !is_digits(plain) {
            return Sort::Unknown;
        }
        if plain.len() <= usize::from(rules.internal_digits_max) {
            return Sort::Internal;
        }
        if let Some(international) = self.without_international_prefix(plain) {
            return number(&[], international);
        }
        match rules.national_prefix.as_deref().and_then(|prefix| plain.strip_prefix(prefix)) {
            Some(national) => self.national(plain, national),
            None => self.bare(plain),
        }
    }

    /// What follows the longest international prefix.
    fn without_international_prefix<'text>(&self, text: &'text str) -> Option<&'text str> {
        let prefixes = self.0.international_prefixes.iter();
        let rests = prefixes.filter_map(|prefix| text.strip_prefix(prefix.as_str()));
        rests.min_by_key(|rest| rest.len())
    }

    /// A number that begins with the national prefix, and what follows that.
    fn national(&self, digits: &str, rest: &str) -> Sort {
        let rules = &self.0;
        // Where 0 is dialled before national numbers, none of them begins with it.
        let is_twice = rules.national_prefix.as_deref() == Some("0") && rest.starts_with('0');
        match rules.national_digits.map(usize::from) {
            _ if rest.is_empty() || is_twice => Sort::Unknown,
            None => number(&[&rules.country], rest),
            Some(length) if rest.len() == length => number(&[&rules.country], rest),
            // It may begin with the same digits by itself, as 812 does in Russia, where 8 is the prefix.
            Some(length) if digits.len() == length => number(&[&rules.country], digits),
            Some(_) => Sort::Unknown,
        }
    }

    /// A number without any prefix.
    fn bare(&self, digits: &str) -> Sort {
        let rules = &self.0;
        let length = rules.national_digits.map(usize::from);
        match (&rules.area_code, length) {
            (_, Some(length)) if digits.len() == length => number(&[&rules.country], digits),
            (Some(area), Some(length)) if area.len().saturating_add(digits.len()) == length => {
                number(&[&rules.country, area], digits)
            }
            (Some(area), None) => number(&[&rules.country, area], digits),
            (None, None) if rules.national_prefix.is_none() => number(&[&rules.country], digits),
            (Some(_) | None, Some(_)) | (None, None) => Sort::Unknown,
        }
    }

    /// The text without the characters that are left out.
    fn plain(&self, text: &str) -> String {
        let keep = |char: &char| !self.0.strip.contains(*char);
        let all = || text.chars().filter(keep).collect();
        let Some((before, after)) = self.around_bracketed_prefix(text) else { return all() };
        let head: String = before.chars().filter(keep).collect();
        if head.starts_with('+') || self.without_international_prefix(&head).is_some() {
            head.chars().chain(after.chars().filter(keep)).collect()
        } else {
            all()
        }
    }

    /// What stands before and after the national prefix in parentheses.
    fn around_bracketed_prefix<'text>(&self, text: &'text str) -> Option<(&'text str, &'text str)> {
        let prefix = self.0.national_prefix.as_deref()?;
        let (before, inside) = text.split_once('(')?;
        let after = inside.strip_prefix(prefix)?.strip_prefix(')')?;
        Some((before, after))
    }
}

/// An E.164 number of its parts, if it can be one: the first digit is that of a country.
fn number(parts: &[&str], digits: &str) -> Sort {
    let whole: String = parts.iter().copied().chain([digits]).collect();
    if whole.starts_with('0') || !is_digits(&whole) {
        return Sort::Unknown;
    }
    PhoneNumber::try_new(&whole).map_or(Sort::Unknown, Sort::E164)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl TryFrom<Rules> for DialPlan {
    type Error = InvalidDialPlan;

    fn try_from(rules: Rules) -> Result<Self, InvalidDialPlan> {
        Self::try_new(rules)
    }
}

impl From<DialPlan> for Rules {
    fn from(plan: DialPlan) -> Self {
        plan.0
    }
}
