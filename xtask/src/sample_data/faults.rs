//! What goes wrong in practice: lines that come twice, contradict one another, or are no records.

use super::{
    calls::Call,
    chance::Chance,
    clock::{MINUTE_S, NOVEMBER, pbx_text},
};

/// Five calls come again under their uniqueid with another duration.
pub fn conflicts(lines: &mut Vec<String>, calls: &[Call]) {
    let talked = calls.iter().enumerate().filter(|(_, call)| call.talk_s > 30);
    let again = talked.step_by(800).skip(1).take(5).map(|(at, call)| {
        let again = Call { talk_s: call.talk_s + 7, ..call.clone() };
        (at + 60, again.line())
    });
    insert(lines, again.collect());
}

/// Lines that are torn, misspelt, or contradict themselves.
pub fn malformed(lines: &mut Vec<String>, calls: &[Call]) {
    let broken: [fn(&Call) -> String; 16] = [
        |call| call.line().chars().take(75).collect(),
        |call| call.line().replace(&talk(call), &format!(",{},\"ANSWERED", call.talk_s + 4_000)),
        |call| call.line().replacen(&pbx_text(call.answer()), &pbx_text(call.start - 30), 1),
        |call| call.line().replace(&talk(call), ",4O,\"ANSWERED"),
        |call| call.line().replacen("\"2026-", "\"2026-13-", 1),
        |call| call.line().replacen(&pbx_text(call.start), "10/07/2026 9:15 AM", 1),
        |call| call.line().replacen(&pbx_text(call.answer()), "", 1),
        |call| call.line().replacen(&pbx_text(call.end()), &pbx_text(call.start - 600), 1),
        |call| call.line().replace("ANSWERED", "ANSWER"),
        |call| call.line().replace("ANSWERED", "NO ANSWER"),
        |call| Call { unique_id: String::new(), ..call.clone() }.line(),
        |call| call.line().split(',').take(12).collect::<Vec<_>>().join(","),
        |call| format!("{},\"\",\"\"", call.line()),
        |_| String::new(),
        |call| call.line().replace(&talk(call), ",-5,\"ANSWERED"),
        // In the hour that clocks show twice, and nothing on the line tells which of the two.
        |call| {
            let (start, unique_id) = (NOVEMBER + 100 * MINUTE_S, "restored-17".into());
            Call { start, unique_id, ..call.clone() }.line()
        },
    ];
    let gap = calls.len() / (broken.len() + 1);
    let whole = calls.iter().filter(|call| call.talk_s > 30 && call.account_code.len() > 7);
    let faults =
        (1..).zip(broken).zip(whole.skip(9).step_by(211)).map(|((number, broken), call)| {
            // Its own uniqueid: mended, it would be a further call.
            let call =
                Call { unique_id: format!("{}.{}", call.start, 90_000 + number), ..call.clone() };
            (number * gap, broken(&call))
        });
    insert(lines, faults.collect());
}

/// Thirty lines in a row and ten single ones come twice, word for word.
pub fn repeated(lines: &mut Vec<String>, chance: &mut Chance) {
    let block = lines[2_950..2_980].to_vec();
    lines.splice(2_985..2_985, block);
    let single = (1..=10).map(|number| {
        let at = number * 235;
        let later = usize::try_from(chance.below(150)).unwrap_or(0);
        (at + 1 + later, lines[at].clone())
    });
    let single = single.collect();
    insert(lines, single);
}

/// Puts lines in at their places, which are in order and meant before any is put in.
fn insert(lines: &mut Vec<String>, more: Vec<(usize, String)>) {
    for (at, line) in more.into_iter().rev() {
        lines.insert(at.min(lines.len()), line);
    }
}

/// The seconds talked and what follows them on the line.
fn talk(call: &Call) -> String {
    format!(",{},\"ANSWERED", call.talk_s)
}
