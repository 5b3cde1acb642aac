//! The plan book: which kinds of strategy a process knows, and how a document becomes a plan.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    format,
    string::String,
    sync::Arc,
    vec::Vec,
};
use core::fmt;

use compact_str::CompactString;

use crate::{
    id::{PlanId, StrategyId, TariffId},
    money::Currency,
    plan::{
        Blocks, ByTariff, FlatRate, OneOffs, PerUnit, PlanSpec, Prepaid, Problem, Recurring,
        Strategy, StrategySpec, UnknownStrategy, Unpriced,
    },
    terms::strict_json,
};

/// Builds a strategy of one kind from its document.
pub type Kind = Arc<dyn Fn(&StrategySpec) -> Result<Arc<dyn Strategy>, Problem> + Send + Sync>;

/// The kinds of strategy a process knows. An ordinary value: two books do not see each other.
///
/// # Examples
///
/// ```
/// use billing_core::plan::PlanBook;
///
/// let book = PlanBook::standard();
/// assert_eq!(book.kinds().collect::<Vec<_>>(), ["blocks", "flat_rate", "per_unit", "prepaid", "recurring", "tariff", "unpriced"]);
/// ```
#[derive(Clone)]
pub struct PlanBook {
    kinds: BTreeMap<CompactString, Kind>,
}

impl PlanBook {
    /// How many strategies a plan may have: an item has a posting under each that claims it.
    pub const STRATEGIES_MAX: usize = 1_000;

    /// A book without kinds.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::PlanBook;
    ///
    /// assert_eq!(PlanBook::empty().kinds().count(), 0);
    /// ```
    #[must_use]
    pub const fn empty() -> Self {
        Self { kinds: BTreeMap::new() }
    }

    /// The built-in kinds.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::PlanBook;
    ///
    /// assert!(PlanBook::standard().kinds().any(|kind| kind == "flat_rate"));
    /// ```
    #[must_use]
    pub fn standard() -> Self {
        Self::empty()
            .with_kind("flat_rate", |spec| Ok(Arc::new(FlatRate::try_new(spec)?)))
            .with_kind("blocks", |spec| Ok(Arc::new(Blocks::try_new(spec)?)))
            .with_kind("per_unit", |spec| Ok(Arc::new(PerUnit::try_new(spec)?)))
            .with_kind("prepaid", |spec| Ok(Arc::new(Prepaid::try_new(spec)?)))
            .with_kind("recurring", |spec| Ok(Arc::new(Recurring::try_new(spec)?)))
            .with_kind("tariff", |spec| Ok(Arc::new(ByTariff::try_new(spec)?)))
            .with_kind("unpriced", |spec| Ok(Arc::new(Unpriced::try_new(spec)?)))
    }

    /// The book with a further kind; a kind of the same name is replaced.
    ///
    /// What a name means must never change while plans use it: new behaviour is a new name.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use billing_core::plan::{PlanBook, PlanSpec};
    ///
    /// # use billing_core::{
    /// #     id::{Group, StrategyId},
    /// #     item::Item,
    /// #     money::{Exact, Quantity},
    /// #     plan::{Arrival, Bill, Priced, Problem, Strategy, StretchFacts},
    /// #     usage::Totals,
    /// # };
    /// # #[derive(Debug)]
    /// # struct Fee(StrategyId);
    /// # impl Strategy for Fee {
    /// #     fn id(&self) -> &StrategyId { &self.0 }
    /// #     fn group(&self, _: &Item) -> Option<Group> { "calls".parse().ok() }
    /// #     fn on_arrival(&self, _: &Arrival<'_>) -> Result<Priced, Problem> {
    /// #         let unit = "call".parse().map_err(|_| Problem("no unit".into()))?;
    /// #         let quantity = Quantity::from_u64(1)?;
    /// #         Ok(Priced::new(unit, Totals { count: 1, quantity, amount: None }))
    /// #     }
    /// #     fn settle(&self, facts: &StretchFacts, bill: &mut Bill) -> Result<(), Problem> {
    /// #         for (group, usage) in &facts.usage {
    /// #             bill.charge(group.clone(), Exact::from(usage.unbilled.quantity), "1 a call".into());
    /// #         }
    /// #         Ok(())
    /// #     }
    /// # }
    /// // `Fee` is a `Strategy` of the host's own.
    /// let book = PlanBook::standard().with_kind("fee", |spec| Ok(Arc::new(Fee(spec.id.clone()))));
    /// let spec: PlanSpec = serde_json::from_str(
    ///     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    ///         "strategies":[{"id":"fees","kind":"fee","terms":{}}]}"#,
    /// )?;
    /// assert!(book.build(spec.clone()).is_ok());
    /// assert!(PlanBook::standard().build(spec).is_err(), "two books do not see each other");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn with_kind(
        mut self,
        name: &str,
        build: impl Fn(&StrategySpec) -> Result<Arc<dyn Strategy>, Problem> + Send + Sync + 'static,
    ) -> Self {
        let _replaced: Option<Kind> = self.kinds.insert(CompactString::new(name), Arc::new(build));
        self
    }

    /// The names of the kinds, in order.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::PlanBook;
    ///
    /// assert_eq!(PlanBook::standard().kinds().collect::<Vec<_>>(), ["blocks", "flat_rate", "per_unit", "prepaid", "recurring", "tariff", "unpriced"]);
    /// ```
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(CompactString::as_str)
    }

    /// Builds a plan from its document.
    ///
    /// # Errors
    ///
    /// [`BuildPlanError::Version`] and [`BuildPlanError::Strategies`] if a number is out of bounds; [`BuildPlanError::Doubled`],
    /// [`BuildPlanError::UnknownKind`], [`BuildPlanError::Terms`] and [`BuildPlanError::OtherId`] name the strategy that is wrong.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::{BuildPlanError, PlanBook};
    ///
    /// # use billing_core::plan::PlanSpec;
    /// # let spec: PlanSpec = serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
    /// # )?;
    /// let book = PlanBook::standard();
    /// assert_eq!(book.build(spec.clone())?.strategies().count(), 2); // its own, and one-off charges
    ///
    /// let doubled = [spec.strategies.clone(), spec.strategies.clone()].concat();
    /// let error = book.build(PlanSpec { strategies: doubled, ..spec }).unwrap_err();
    /// assert_eq!(error, BuildPlanError::Doubled { strategy: "calls".parse()? });
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn build(&self, spec: PlanSpec) -> Result<Plan, BuildPlanError> {
        if spec.version == 0 {
            return Err(BuildPlanError::Version);
        }
        for strategy in &spec.strategies {
            let checked = strict_json::check(&strategy.terms);
            checked.map_err(|what| BuildPlanError::Terms {
                strategy: strategy.id.clone(),
                problem: Problem(what),
            })?;
        }
        let mut seen = BTreeSet::new();
        let mut strategies = Vec::with_capacity(spec.strategies.len());
        for strategy in &spec.strategies {
            if !seen.insert(&strategy.id) {
                return Err(BuildPlanError::Doubled { strategy: strategy.id.clone() });
            }
            let built = self.build_strategy(strategy)?;
            if *built.id() != strategy.id {
                let (built, strategy) = (built.id().clone(), strategy.id.clone());
                return Err(BuildPlanError::OtherId { strategy, built });
            }
            check_currency(&*built, spec.currency)?;
            check_draws(&*built, &spec.strategies, strategies.len())?;
            strategies.push(built);
        }
        if !(1..=Self::STRATEGIES_MAX).contains(&strategies.len()) {
            return Err(BuildPlanError::Strategies { strategies: strategies.len() });
        }
        let one_offs = OneOffs::try_new();
        let one_offs = one_offs.map_err(|problem| BuildPlanError::Reserved { problem })?;
        if seen.contains(one_offs.id()) {
            return Err(BuildPlanError::Doubled { strategy: one_offs.id().clone() });
        }
        strategies.push(Arc::new(one_offs));
        Ok(Plan { spec, strategies })
    }

    fn build_strategy(&self, spec: &StrategySpec) -> Result<Arc<dyn Strategy>, BuildPlanError> {
        let kind = self.kinds.get(&spec.kind).ok_or_else(|| BuildPlanError::UnknownKind {
            strategy: spec.id.clone(),
            kind: spec.kind.as_str().into(),
            known: self.kinds().collect::<Vec<_>>().join(", "),
        })?;
        kind(spec).map_err(|problem| BuildPlanError::Terms { strategy: spec.id.clone(), problem })
    }
}

/// Prices that a strategy brings itself are in the currency of the plan.
fn check_currency(strategy: &dyn Strategy, ours: Currency) -> Result<(), BuildPlanError> {
    match strategy.currency().filter(|theirs| *theirs != ours) {
        None => Ok(()),
        Some(theirs) => Err(BuildPlanError::Terms {
            strategy: strategy.id().clone(),
            problem: Problem(format!("its prices are in {theirs}, the plan is in {ours}")),
        }),
    }
}

/// What a strategy reads stands before it in the plan.
fn check_draws(
    strategy: &dyn Strategy,
    specs: &[StrategySpec],
    place: usize,
) -> Result<(), BuildPlanError> {
    let Some(names) = strategy.draws_on() else { return Ok(()) };
    let before = specs.get(..place).unwrap_or_default();
    let is_before = |name: &&StrategyId| before.iter().any(|spec| spec.id == **name);
    let refused = |what: String| BuildPlanError::Terms {
        strategy: strategy.id().clone(),
        problem: Problem(what),
    };
    match names.iter().find(|name| !is_before(name)) {
        Some(name) => Err(refused(format!("strategy {name} does not stand before it in the plan"))),
        None if before.is_empty() => {
            Err(refused("no strategy stands before it in the plan".into()))
        }
        None => Ok(()),
    }
}

impl fmt::Debug for PlanBook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.kinds.keys()).finish()
    }
}

/// A plan document and the strategies built from it.
///
/// # Examples
///
/// ```
/// use billing_core::plan::PlanBook;
///
/// # use billing_core::plan::PlanSpec;
/// # let spec: PlanSpec = serde_json::from_str(
/// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
/// #         "strategies":[{"id":"calls","kind":"flat_rate",
/// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
/// # )?;
/// let plan = PlanBook::standard().build(spec)?;
/// let ids: Vec<_> = plan.strategies().map(|strategy| strategy.id().as_str()).collect();
/// assert_eq!(ids, ["calls", "one_off"]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    spec: PlanSpec,
    strategies: Vec<Arc<dyn Strategy>>,
}

impl Plan {
    /// The document.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::PlanBook;
    ///
    /// # use billing_core::plan::PlanSpec;
    /// # let spec: PlanSpec = serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
    /// # )?;
    /// assert_eq!(PlanBook::standard().build(spec.clone())?.spec(), &spec);
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn spec(&self) -> &PlanSpec {
        &self.spec
    }

    /// Each strategy with its document, in the plan's order.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::PlanBook;
    ///
    /// # use billing_core::plan::PlanSpec;
    /// # let spec: PlanSpec = serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
    /// # )?;
    /// let plan = PlanBook::standard().build(spec)?;
    /// assert!(plan.with_specs().all(|(spec, strategy)| spec.id == *strategy.id()));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn with_specs(&self) -> impl Iterator<Item = (&StrategySpec, &dyn Strategy)> {
        self.spec.strategies.iter().zip(self.strategies())
    }

    /// The strategies, in the order in which they are settled: those of the document, and [`OneOffs`] after them.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::{plan::PlanBook, usage::Scope};
    ///
    /// # use billing_core::plan::PlanSpec;
    /// # let spec: PlanSpec = serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"flat_rate",
    /// #                        "terms":{"per_minute":"0.02","minutes":"pro_rata"}}]}"#,
    /// # )?;
    /// let plan = PlanBook::standard().build(spec)?;
    /// assert!(plan.strategies().all(|strategy| strategy.scope() == Scope::Stretch));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn strategies(&self) -> impl Iterator<Item = &dyn Strategy> {
        self.strategies.iter().map(AsRef::as_ref)
    }

    /// The tariffs that its strategies may ask, without those that they fall back on.
    ///
    /// # Examples
    ///
    /// ```
    /// use billing_core::plan::PlanBook;
    ///
    /// # use billing_core::plan::PlanSpec;
    /// # let spec: PlanSpec = serde_json::from_str(
    /// #     r#"{"id":"basic","version":1,"currency":"EUR","payment":"postpaid",
    /// #         "strategies":[{"id":"calls","kind":"tariff","terms":{"tariff":"retail"}}]}"#,
    /// # )?;
    /// let plan = PlanBook::standard().build(spec)?; // whose calls are priced by the tariff `retail`
    /// assert!(plan.tariffs().eq([&"retail".parse()?]));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn tariffs(&self) -> impl Iterator<Item = &TariffId> {
        self.strategies().flat_map(Strategy::tariffs)
    }
}

/// A plan document that cannot become a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildPlanError {
    /// Version 0.
    #[error("a plan's version is 0: versions are counted from 1")]
    Version,
    /// No strategy, or too many.
    #[error("a plan has {strategies} strategies: 1 to {} are accepted", PlanBook::STRATEGIES_MAX)]
    Strategies {
        /// How many it has.
        strategies: usize,
    },
    /// Two strategies of one id.
    #[error("strategy {strategy} stands twice in the plan")]
    Doubled {
        /// The id.
        strategy: StrategyId,
    },
    /// The strategy of one-off charges cannot be built.
    #[error("one-off charges cannot be charged: {problem}")]
    Reserved {
        /// Why.
        problem: Problem,
    },
    /// The account's own terms are for a strategy that the plan does not have.
    #[error(transparent)]
    Overrides(#[from] UnknownStrategy),
    /// The document that is saved is not the one the account was given.
    #[error("the document of plan {plan} version {version} is not the one that was assigned")]
    Altered {
        /// The plan.
        plan: PlanId,
        /// Its version.
        version: u32,
    },
    /// A kind built a strategy that calls itself otherwise.
    #[error("strategy {strategy} calls itself {built}: a kind must keep the id of the document")]
    OtherId {
        /// The id of the document.
        strategy: StrategyId,
        /// The id the strategy has.
        built: StrategyId,
    },
    /// A kind the book does not know.
    #[error("strategy {strategy} is of kind {kind}, which is unknown: known are {known}")]
    UnknownKind {
        /// The strategy.
        strategy: StrategyId,
        /// The kind asked for.
        kind: String,
        /// The kinds of the book.
        known: String,
    },
    /// Terms the kind does not accept.
    #[error("the terms of strategy {strategy} are not accepted: {problem}")]
    Terms {
        /// The strategy.
        strategy: StrategyId,
        /// What is wrong with them.
        problem: Problem,
    },
}
