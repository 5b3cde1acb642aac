#!/usr/bin/env python3
"""A second hand: bills the sample month of the quickstart by itself.

Written from docs/design.md with Python's standard library alone, and with its own zones, csv and fractions; it shares no
code with the library. It reads examples/data/master.csv and examples/data/setup.json and writes quickstart.json beside
itself, which tests/quickstart.rs holds the library against.

    python3 tests/golden/quickstart.py
"""

import csv
import datetime
import json
import math
import re
from collections import Counter, defaultdict
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

HERE = Path(__file__).resolve().parent
DATA = HERE.parent.parent / "examples" / "data"
UTC = datetime.timezone.utc
# The month has ended everywhere, also where clocks are twelve hours behind.
AS_OF = datetime.datetime(2026, 11, 1, 12, tzinfo=UTC)
DECIMALS = {"EUR": 2, "USD": 2, "GBP": 2, "JPY": 0}
ENDINGS = {
    "ANSWERED": "answered",
    "NO ANSWER": "no_answer",
    "BUSY": "busy",
    "FAILED": "failed",
    "CONGESTION": "failed",
}


class Refused(Exception):
    """A line that is no record."""


# ---------------------------------------------------------------- the file


def moments(text, zone):
    """The instants at which clocks in the zone show the text: none, one or two."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text):
        raise Refused("time")
    try:
        naive = datetime.datetime.strptime(text, "%Y-%m-%d %H:%M:%S")
    except ValueError:
        raise Refused("time")
    found = set()
    for fold in (0, 1):
        moment = naive.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None) == naive:
            found.add(moment)
    if not found:
        raise Refused("skipped time")
    return sorted(found)


def pick(found, expected):
    """The one meant: of two, the one within ten minutes of what else the line says."""
    if len(found) == 1:
        return found[0]
    near = [m for m in found if expected is not None and abs((m - expected).total_seconds()) <= 600]
    if len(near) != 1:
        raise Refused("ambiguous time")
    return near[0]


def created(unique_id):
    match = re.fullmatch(r"(?:.*-)?(\d+)\.(\d+)", unique_id)
    return datetime.datetime.fromtimestamp(int(match[1]), UTC) if match else None


def seconds(text):
    if not re.fullmatch(r"\d+", text):
        raise Refused("seconds")
    return int(text)


def read_line(line, zone):
    if line == "":
        raise Refused("empty")
    try:
        (columns,) = csv.reader([line], strict=True)
    except csv.Error:
        raise Refused("torn")
    if len(columns) not in (17, 18, 20, 21):
        raise Refused("columns")
    start = moments(columns[9], zone)
    answer = moments(columns[10], zone) if columns[10] else None
    end = moments(columns[11], zone)
    duration, talk = seconds(columns[12]), seconds(columns[13])
    if columns[14] not in ENDINGS:
        raise Refused("disposition")
    unique_id = columns[16]
    if unique_id == "":
        raise Refused("uniqueid")
    was_twice = len(start) == 2
    start = pick(start, created(unique_id))
    due = start + datetime.timedelta(seconds=duration)
    end = pick(end, due)
    if was_twice and abs((end - due).total_seconds()) > 600:
        raise Refused("ambiguous time")
    if answer is not None:
        answer = pick(answer, end - datetime.timedelta(seconds=talk))
    ending = ENDINGS[columns[14]]
    if end < start or (answer is not None and not start <= answer <= end):
        raise Refused("times out of order")
    if ending == "answered" and answer is None:
        raise Refused("no answer time")
    if talk > duration or (ending != "answered" and talk > 0):
        raise Refused("talk time")
    return {
        "id": unique_id,
        "code": columns[0],
        "src": columns[1],
        "dst": columns[2],
        "context": columns[3],
        "trunk": re.sub(r"-[0-9a-fA-F]{8}$", "", columns[5]),
        "at": answer if ending == "answered" else start,
        "ms": talk * 1000,
        "ending": ending,
    }


# ---------------------------------------------------------------- who pays


def payer(call, rules, zone):
    day = call["at"].astimezone(zone).date().isoformat()
    caller = call["src"].removeprefix("+")

    def in_force(rule):
        return rule.get("from", "") <= day and day < rule.get("until", "9999")

    def told_by(kind, matches):
        found = [r for r in rules if kind in r["match"] and matches(r["match"][kind]) and in_force(r)]
        return max(found, key=lambda r: len(r["match"][kind]))["account"] if found else None

    return (
        told_by("account_code", lambda text: text == call["code"])
        or told_by("trunk", lambda text: text == call["trunk"])
        or told_by("caller", lambda text: text.removeprefix("+") == caller)
        or told_by("caller_prefix", lambda text: caller.isdigit() and caller.startswith(text))
    )


# ---------------------------------------------------------------- periods and prices


def boundary(first, n):
    """The first day of period n, from the anchor and never from the period before."""
    months = first.year * 12 + first.month - 1 + n
    year, month = divmod(months, 12)
    following = datetime.date(year + (month == 11), (month + 1) % 12 + 1, 1)
    last = (following - datetime.timedelta(days=1)).day
    return datetime.date(year, month + 1, min(first.day, last))


def period_of(first, day):
    n = 0
    while boundary(first, n) > day:
        n -= 1
    while boundary(first, n + 1) <= day:
        n += 1
    return boundary(first, n), boundary(first, n + 1)


def midnight(day, zone):
    return datetime.datetime.combine(day, datetime.time(), zone).astimezone(UTC)


def claims(strategy, call, contexts):
    rule = strategy.get("applies_to", {})
    directions, prefixes = rule.get("directions", []), rule.get("callee", [])
    number = call["dst"].removeprefix("+")
    if directions and contexts.get(call["context"], "outbound") not in directions:
        return False
    return not prefixes or (number.isdigit() and any(number.startswith(p) for p in prefixes))


def up(quantity, size):
    return -(-quantity // size)


def quantity(strategy, ms):
    """What one call adds to its strategy's total."""
    terms = strategy["terms"]
    if strategy["kind"] == "flat_rate":
        return up(ms, 60_000) if terms["minutes"] == "per_started_minute" else ms
    return up(ms, terms["block_ms"]) if terms["scope"] == "call" else ms


def price(strategy, before, added):
    """The bracket: what the scope costs with what was added, less what it costs without."""
    terms = strategy["terms"]
    if strategy["kind"] == "flat_rate":
        minutes = Fraction(added) if terms["minutes"] == "per_started_minute" else Fraction(added, 60_000)
        return minutes * Fraction(terms["per_minute"])
    if terms["scope"] == "call":
        return added * Fraction(terms["per_block"])
    blocks = up(before + added, terms["block_ms"]) - up(before, terms["block_ms"])
    return blocks * Fraction(terms["per_block"])


def scope(strategy, period, assignment):
    named = strategy["terms"].get("scope")
    if named == "lifetime":
        return ()
    return (period,) if named == "period" else (period, assignment)


def rounded(value, decimals, how):
    """In units of the last decimal."""
    scaled = value * 10**decimals
    whole = math.floor(scaled)
    rest = scaled - whole
    if rest > Fraction(1, 2):
        return whole + 1
    if rest < Fraction(1, 2):
        return whole
    # Nothing here is negative, so half up is away from zero.
    return whole + (1 if how == "half_up" else whole % 2)


def text(units, decimals):
    """An amount without trailing zeros."""
    if decimals == 0:
        return str(units)
    whole, rest = divmod(abs(units), 10**decimals)
    fraction = f"{rest:0{decimals}}".rstrip("0")
    return f"{'-' if units < 0 else ''}{whole}{'.' + fraction if fraction else ''}"


def taxed(units, tax, decimals, how):
    if tax is None:
        return units, 0, units
    rate = Fraction(tax["percent"]) / 100
    sum_ = Fraction(units, 10**decimals)
    if tax["mode"] == "added":
        amount = rounded(sum_ * rate, decimals, how)
        return units, amount, units + amount
    net = rounded(sum_ / (1 + rate), decimals, how)
    return net, units - net, units


# ---------------------------------------------------------------- the month


def main():
    setup = json.loads((DATA / "setup.json").read_text())
    pbx = ZoneInfo(setup["asterisk"]["zone"])
    contexts = setup["asterisk"]["contexts"]
    plans = {(p["id"], p["version"]): p for p in setup["plans"]}
    accounts = {a["settings"]["id"]: a for a in setup["accounts"]}

    counts, reasons = Counter(), Counter()
    claimed = {}
    usage = defaultdict(Counter)  # (account, day, assignment, strategy) -> count, quantity
    totals = {id: Counter() for id in accounts}

    lines = (DATA / "master.csv").read_text().removesuffix("\n").split("\n")
    for line in lines:
        counts["received"] += 1
        try:
            call = read_line(line, pbx)
        except Refused as refused:
            counts["refused"] += 1
            reasons[f"refused: {refused}"] += 1
            continue
        account = payer(call, setup["account_map"], pbx)
        direction = contexts.get(call["context"], "outbound")
        content = (account, call["at"], call["ms"], call["src"], call["dst"], call["ending"], direction)
        if call["id"] in claimed:
            counts["replayed" if claimed[call["id"]] == content else "conflict"] += 1
            continue
        if account is None:
            counts["parked"] += 1
            reasons["parked: unknown account"] += 1
            continue
        settings, assigned = accounts[account]["settings"], accounts[account]["plans"]
        day = call["at"].astimezone(ZoneInfo(settings["zone"])).date()
        number = sum(a["from"] <= day.isoformat() for a in assigned)
        if number == 0:
            counts["parked"] += 1
            reasons["parked: no plan"] += 1
            continue
        plan = plans[assigned[number - 1]["plan"], assigned[number - 1]["version"]]
        mine = [s for s in plan["strategies"] if claims(s, call, contexts)]
        if not mine:
            counts["parked"] += 1
            reasons["parked: no price"] += 1
            continue
        counts["recorded"] += 1
        claimed[call["id"]] = content
        # An answered call counts, even one of no length; another one is recorded and counts for nothing.
        answered = call["ending"] == "answered"
        ms = call["ms"] if answered else 0
        totals[account].update(recorded=1, charged=int(answered), ms=ms)
        for strategy in mine:
            key = (account, day, number, strategy["id"])
            usage[key].update(count=int(answered), quantity=quantity(strategy, ms))

    result = {
        "counts": {k: counts[k] for k in ("received", "recorded", "replayed", "conflict", "parked", "refused")},
        "reasons": dict(sorted(reasons.items())),
        "accounts": {},
    }
    for id in sorted(accounts):
        result["accounts"][id] = {
            "recorded": totals[id]["recorded"],
            "charged": totals[id]["charged"],
            "talk_ms": totals[id]["ms"],
            "invoices": invoices(id, accounts[id], plans, usage),
        }
    (HERE / "quickstart.json").write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result["counts"]), json.dumps(result["reasons"], indent=1), sep="\n")


def invoices(id, account, plans, usage):
    settings, assigned = account["settings"], account["plans"]
    zone = ZoneInfo(settings["zone"])
    profile = settings.get("invoice", {})
    decimals = profile.get("decimals", DECIMALS[settings["currency"]])
    how = profile.get("rounding", "half_up")
    first = datetime.date.fromisoformat(settings["anchor"]["from"])
    carry = defaultdict(lambda: (0, Fraction(0), 0))  # scope -> quantity, exact, billed

    issued = []
    start, end = period_of(first, datetime.date.fromisoformat(assigned[0]["from"]))
    while midnight(end, zone) <= AS_OF:
        lines = []
        for number, assignment in enumerate(assigned, 1):
            plan = plans[assignment["plan"], assignment["version"]]
            for strategy in plan["strategies"]:
                found = [
                    total
                    for (who, day, under, which), total in usage.items()
                    if (who, under, which) == (id, number, strategy["id"]) and start <= day < end
                ]
                if not found:
                    continue
                added = sum(total["quantity"] for total in found)
                key = (scope(strategy, start, number), strategy["id"])
                before, exact, billed = carry[key]
                exact += price(strategy, before, added)
                amount = rounded(exact, decimals, how) - billed
                carry[key] = (before + added, exact, billed + amount)
                lines.append((amount, f"{plan['id']}.{plan['version']}/{strategy['id']}", found, added))
        if lines:
            net, tax, total = taxed(sum(line[0] for line in lines), settings.get("tax"), decimals, how)
            issued.append(
                {
                    "period": f"{start}..{end}",
                    "currency": settings["currency"],
                    "lines": [
                        {
                            "what": what,
                            "count": sum(total["count"] for total in found),
                            "quantity": str(added),
                            "amount": text(amount, decimals),
                        }
                        for amount, what, found, added in lines
                    ],
                    "net": text(net, decimals),
                    "tax": text(tax, decimals),
                    "total": text(total, decimals),
                }
            )
        start, end = period_of(first, end)
    return issued


main()
