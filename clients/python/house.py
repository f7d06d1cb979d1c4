"""Where the server is that these tests talk to, and people for them to write about."""

import datetime
import os
import unittest
import uuid


def told(name):
    value = os.environ.get(name)
    if not value:
        raise SystemExit(f"{name} is not set; run `cargo xtask test clients`")
    return value


BASE = told("KEEPWELL_FHIR")
TOKEN = told("KEEPWELL_TOKEN")
SYSTEM = "https://clients.example/ids"
LOINC = "http://loinc.org"
WEIGHT = "29463-7"
HEART_RATE = "8867-4"


def identifier():
    """An identifier that nothing else has."""
    return {"system": SYSTEM, "value": str(uuid.uuid4())}


def somebody():
    """Somebody whom the server does not know yet."""
    return {
        "resourceType": "Patient",
        "identifier": [identifier()],
        "name": [{"use": "official", "family": "Marlow", "given": ["Ada", "Jane"]}],
        "gender": "female",
        "birthDate": "1961-04-02",
    }


def measured(subject, code, when, value, **changes):
    """A measurement of somebody at a time."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"reference": subject},
        "effectiveDateTime": when,
        "valueQuantity": {"value": value, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
        **changes,
    }


def days(count):
    """The dates `2026-01-01`, `2026-01-02`, …"""
    first = datetime.date(2026, 1, 1)
    return [(first + datetime.timedelta(days=day)).isoformat() for day in range(count)]


def ada():
    """A transaction of one person with 23 weights, on a day each, and one heart rate."""
    urn = f"urn:uuid:{uuid.uuid4()}"
    weights = [measured(urn, WEIGHT, day, 60 + at) for at, day in enumerate(days(23))]
    entries = [{"fullUrl": urn, "resource": somebody(), "request": {"method": "POST", "url": "Patient"}}]
    for resource in [*weights, measured(urn, HEART_RATE, "2026-01-01", 70)]:
        entries.append({"resource": resource, "request": {"method": "POST", "url": "Observation"}})
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def place(location):
    """`Type/id` of a location in a transaction's answer."""
    return "/".join(location.removeprefix(BASE + "/").split("/")[:2])


class Case(unittest.TestCase):
    """A test that can tell what an OperationOutcome is."""

    maxDiff = None

    def assert_outcome(self, resource, code=None):
        """An error that says what to do."""
        self.assertEqual(resource["resourceType"], "OperationOutcome")
        issue = next(it for it in resource["issue"] if it["severity"] in ("error", "fatal"))
        self.assertRegex(issue.get("details", {}).get("text") or issue["diagnostics"], r"\w+ \w+")
        if code:
            self.assertEqual(issue["code"], code)
