#!/usr/bin/env python3
"""What the sample calls cost by the sample deck, written without a look at the library: fractions and a loop.

  tests/golden/rate_cdrs.py > tests/golden/rate_cdrs.csv
"""
import csv
import math
import os
import re
from datetime import datetime
from fractions import Fraction

DATA = os.path.join(os.path.dirname(__file__), "..", "..", "examples", "data")


def codes(country, areas):
    if not areas.strip():
        return [country]
    found = []
    for area in areas.split(","):
        first, _, last = area.strip().partition("-")
        for number in range(int(first), int(last or first) + 1):
            found.append(country + str(number).zfill(len(first)))
    return found


def deck():
    rows = {}
    with open(os.path.join(DATA, "deck.csv")) as file:
        for row in csv.reader(file, delimiter=";"):
            if len(row) != 5:
                continue
            _name, country, areas, price, steps = row
            if not re.fullmatch("[0-9]+", country):
                continue
            for code in codes(country, areas):
                if price == "blocked":
                    rows[code] = None
                else:
                    first, following = map(int, steps.split("/"))
                    rows[code] = (Fraction(price.replace(",", ".")), first, following)
    return rows


def is_time(text):
    try:
        datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")
        return True
    except ValueError:
        try:
            datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
            return True
        except ValueError:
            return False


def main():
    rows, totals = deck(), {}
    with open(os.path.join(DATA, "calls.csv")) as file:
        for call in csv.DictReader(file):
            talk = Fraction(int(call["duration_ms"]), 1000)
            if call["disposition"] != "ANSWERED" or talk == 0 or not is_time(call["started_at"]):
                continue
            callee = call["callee"]
            code = next((callee[:n] for n in range(len(callee), 0, -1) if callee[:n] in rows), None)
            if code is None or rows[code] is None:
                continue
            price, first, following = rows[code]
            billed = max(first, first + math.ceil((talk - first) / following) * following)
            cost = math.floor(price * billed / 60 * 10**4 + Fraction(1, 2))
            totals[call["account"]] = totals.get(call["account"], 0) + cost
    print("account,total")
    for account in sorted(totals):
        print("%s,%d.%04d" % (account, *divmod(totals[account], 10**4)))


main()
