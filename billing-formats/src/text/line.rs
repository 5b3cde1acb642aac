//! One line of a bill, under the heading of its days and plan.

use billing_core::{invoice::Line, plan::OneOffs};

use crate::text::{days_between, layout::Page, usage::usage};

/// Whether a line stands under the same days and plan as the one above it.
pub(super) fn is_under_same_heading(above: &Line, line: &Line) -> bool {
    (above.stretch, &above.plan, above.version) == (line.stretch, &line.plan, line.version)
}

/// Whether a line is neither of usage nor of money; a strategy that keeps a number for itself leaves such lines.
pub(super) fn says_nothing(line: &Line) -> bool {
    line.unit.is_none() && line.amount.is_zero()
}

pub(super) fn heading(page: &mut Page, line: &Line) {
    let days = days_between(line.stretch.start, line.stretch.end);
    page.text(&format!("{days}, plan {} version {}", line.plan, line.version));
}

pub(super) fn line(page: &mut Page, line: &Line, decimals: u32) {
    let (strategy, group) = (line.strategy.as_str(), line.group.as_str());
    let name = if strategy == group || strategy == OneOffs::ID {
        group.to_owned()
    } else {
        format!("{strategy}, {group}")
    };
    let (calls, used) = match &line.unit {
        Some(unit) => (line.count.to_string(), usage(line.quantity, unit)),
        None => (String::new(), String::new()),
    };
    page.columns(&name, &calls, &used, &line.amount.to_fixed(decimals));
    if !line.text.is_empty() {
        page.note(&line.text);
    }
    if !line.before.billed.is_zero() {
        page.note(&format!("less {} billed before", line.before.billed.to_fixed(decimals)));
    }
}
