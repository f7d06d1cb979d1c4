"""PyPI fhirpy, its plain and its asynchronous client, as they are without settings."""

import asyncio
import datetime
import json
import unittest

from fhirpy import AsyncFHIRClient, SyncFHIRClient
from fhirpy.base.exceptions import AuthorizationError, MultipleResourcesFound, OperationOutcome, ResourceNotFound

import house


def connected(token=house.TOKEN, **headers):
    extra = {name.replace("_", "-"): value for name, value in headers.items()}
    return SyncFHIRClient(house.BASE, authorization=f"Bearer {token}", extra_headers=extra)


class Fhirpy(house.Case):
    @classmethod
    def setUpClass(cls):
        cls.client = connected()
        done = cls.client.execute("", data=house.ada())
        cls.ada = house.place(done["entry"][0]["response"]["location"]).split("/")[1]

    def weight(self, value=70, **changes):
        """A weight that was not sent yet."""
        return self.client.resource(
            **{"resource_type": "Observation", **self.plain(value, **changes)}
        )

    def plain(self, value=70, **changes):
        return house.measured(f"Patient/{self.ada}", house.WEIGHT, "2025-06-01", value, **changes)

    def weights(self):
        return self.client.resources("Observation").search(patient=self.ada, code=f"{house.LOINC}|{house.WEIGHT}")

    def test_creates_reads_updates_and_refreshes(self):
        made = self.weight(70.5).create()
        self.assertTrue(made.id)
        self.assertEqual(made.meta.versionId, self.client.get("Observation", made.id)["meta"]["versionId"])
        stale = self.client.resource("Observation", **self.client.get("Observation", made.id))
        made["status"] = "amended"
        made.update()
        self.assertEqual(made.status, "amended")
        self.assertEqual(stale.refresh().serialize(), made.serialize())
        # Nothing changed since: the client asks with If-None-Match, and is told so.
        self.assertEqual(stale.refresh().serialize(), made.serialize())

    def test_reads_an_older_version(self):
        made = self.weight().create()
        first = made.serialize()
        made["status"] = "amended"
        made.update()
        older = self.client.execute(f"Observation/{made.id}/_history/{first['meta']['versionId']}", method="get")
        self.assertEqual(older, first)

    def test_searches_by_patient_code_and_date_sorted_and_pages_to_the_end(self):
        search = self.weights().search(date__ge="2026-01-01", date__lt="2027").sort("-date").limit(5)
        self.assertEqual(len(search.fetch()), 5)
        self.assertEqual([it.effectiveDateTime for it in search.fetch_all()], house.days(23)[::-1])
        self.assertEqual(search.first().effectiveDateTime, house.days(23)[-1])
        one = self.client.resources("Observation").search(patient=self.ada, code=house.HEART_RATE)
        self.assertEqual(one.get().code.coding[0].code, house.HEART_RATE)
        with self.assertRaises(MultipleResourcesFound):
            self.weights().get()
        with self.assertRaises(ResourceNotFound):
            self.weights().search(date__lt="1900").get()

    def test_counts_when_it_asks_for_lenient_handling(self):
        # It sends a parameter of another server, `_totalMethod`, beside `_count=0`.
        lenient = connected(Prefer="handling=lenient")
        self.assertEqual(lenient.resources("Observation").search(patient=self.ada, code=house.HEART_RATE).count(), 1)
        with self.assertRaises(OperationOutcome) as caught:
            self.weights().count()
        self.assert_outcome(caught.exception.resource)

    def test_includes_and_resolves_what_a_result_refers_to(self):
        search = self.client.resources("Observation").search(patient=self.ada, code=house.HEART_RATE)
        found = search.include("Observation", "subject").fetch_raw()
        self.assertEqual([entry.search.mode for entry in found.entry], ["match", "include"])
        self.assertEqual(found.entry[1].resource.name[0].family, "Marlow")
        self.assertEqual(search.first().subject.to_resource().name[0].family, "Marlow")

    def test_its_search_builder_is_understood(self):
        search = self.client.resources("Observation").search(patient=self.ada, date__ge="2026-01-01")
        for number, conditions in [
            (24, {"patient__Patient__family": "Marlow"}),
            (0, {"patient__Patient__family__exact": "marlow"}),
            (24, {"subject__Patient__birthdate__lt": "1962"}),
            (0, {"status__not": "final"}),
            (24, {"status": "final,amended"}),
            (24, {"method__missing": True}),
            (2, {"value_quantity__gt": "80|http://unitsofmeasure.org|kg"}),
            (2, {"value_quantity__ge": "81000|http://unitsofmeasure.org|g"}),
            (2, {"code_value_quantity": f"{house.WEIGHT}$gt80"}),
            (3, {"date": ["ge2026-01-02", "sa2026-01-03", "eb2026-01-07"]}),
            (24, {"_lastUpdated__gt": datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)}),
            (24, {"_profile__missing": True}),
            (23, {"_content": house.WEIGHT}),
        ]:
            with self.subTest(conditions):
                self.assertEqual(search.search(**conditions).limit(1).fetch_raw().total, number)
        person = self.client.resources("Patient").search(_id=self.ada)
        self.assertEqual(person.has("Observation", "patient", code=house.HEART_RATE).get().id, self.ada)
        self.assertEqual(person.has("Observation", "patient", code="0").fetch(), [])
        heart = person.revinclude("Observation", "patient").fetch_raw().entry
        self.assertEqual({entry.search.mode for entry in heart}, {"match", "include"})
        part = search.elements("code").first()
        self.assertNotIn("valueQuantity", part)
        self.assertEqual(part.meta.tag[0].code, "SUBSETTED")

    def test_sends_a_transaction_and_a_batch(self):
        done = self.client.execute("", data=house.ada())
        self.assertEqual({entry.response.status[:3] for entry in done.entry}, {"201"})
        patient = house.place(done.entry[0].response.location)
        entries = [{"request": {"method": "GET", "url": url}} for url in (patient, "Patient/nobody")]
        done = self.client.execute("", data={"resourceType": "Bundle", "type": "batch", "entry": entries})
        self.assertEqual([entry.response.status[:3] for entry in done.entry], ["200", "404"])
        self.assert_outcome(done.entry[1].response.outcome)

    def test_sees_every_version_in_the_history_a_deletion_too(self):
        made = self.weight().create()
        made["status"] = "amended"
        made.update()
        made.delete()
        history = made.execute("_history", method="get")
        self.assertEqual([entry.request.method for entry in history.entry], ["DELETE", "PUT", "POST"])
        with self.assertRaises(ResourceNotFound) as caught:
            self.client.get("Observation", made.id)
        self.assert_outcome(json.loads(str(caught.exception)))

    def test_creates_once_what_it_creates_on_a_condition(self):
        key = house.identifier()
        client = connected(If_None_Exist=f"patient={self.ada}&identifier={house.SYSTEM}|{key['value']}")
        made, again = (client.resource("Observation", **self.plain(identifier=[key])).create() for _ in range(2))
        self.assertEqual(again.serialize(), made.serialize())

    def test_its_own_kind_of_conditional_create_is_refused_and_not_taken_for_a_plain_one(self):
        # It sends the search in the address, as its maker's server takes it. R4 has the header If-None-Exist.
        search = self.client.resources("Observation").search(patient=self.ada, identifier=f"{house.SYSTEM}|nothing")
        with self.assertRaises(OperationOutcome) as caught:
            search.get_or_create(self.weight())
        self.assert_outcome(caught.exception.resource)
        self.assertEqual(search.fetch(), [])

    def test_updates_and_deletes_on_a_condition(self):
        key = house.identifier()
        search = self.client.resources("Observation")
        search = search.search(patient=self.ada, identifier=f"{house.SYSTEM}|{key['value']}")
        made, is_new = search.update(self.weight(identifier=[key]))
        self.assertTrue(is_new)
        changed, is_new = search.update(self.weight(identifier=[key], status="amended"))
        self.assertFalse(is_new)
        self.assertEqual((changed.id, changed.status), (made.id, "amended"))
        search.delete()
        self.assertEqual(search.fetch(), [])

    def test_its_own_kind_of_patch_is_refused_in_words(self):
        # It sends some members of a resource, as its maker's server takes them. R4 knows JSON Patch and FHIRPath Patch.
        made = self.weight().create()
        with self.assertRaises(OperationOutcome) as caught:
            made.patch(status="amended")
        self.assert_outcome(caught.exception.resource)
        self.assertEqual(self.client.get("Observation", made.id)["status"], "final")

    def test_asks_whether_a_resource_is_valid(self):
        self.assertTrue(self.weight().is_valid())
        wrong = self.weight(effectiveDateTime="2026-13-01")
        self.assertFalse(wrong.is_valid())
        with self.assertRaises(OperationOutcome) as caught:
            wrong.is_valid(raise_exception=True)
        self.assert_outcome(caught.exception.resource, "value")

    def test_calls_operations_of_a_resource_and_of_a_type(self):
        person = self.client.resource("Patient", **self.client.get("Patient", self.ada))
        everything = person.execute("$everything", method="get", params={"_count": 100})
        self.assertGreaterEqual(len(everything.entry), 25)
        newest = self.client.resources("Observation").execute("$lastn", method="get", params={"patient": self.ada})
        self.assertEqual({entry.resource.effectiveDateTime for entry in newest.entry}, {"2026-01-01", "2026-01-23"})

    def test_reads_the_capability_statement(self):
        statement = self.client.execute("metadata", method="get")
        self.assertEqual(statement.fhirVersion, "4.0.1")

    def test_is_told_what_is_wrong(self):
        with self.assertRaises(ResourceNotFound) as caught:
            self.client.get("Observation", "nobody")
        self.assert_outcome(json.loads(str(caught.exception)), "not-found")
        made = self.weight().create()
        # The client takes every 412 for a condition that names more than one.
        with self.assertRaises(MultipleResourcesFound) as caught:
            late = connected(If_Match='W/"999999"')
            late.save(late.resource("Observation", **made.serialize()))
        self.assert_outcome(json.loads(str(caught.exception)), "conflict")
        with self.assertRaises(OperationOutcome) as caught:
            nobodys = house.measured("Patient/nobody", house.WEIGHT, "2025-01-01", 1)
            self.client.resource("Observation", **nobodys).create()
        self.assert_outcome(caught.exception.resource)
        with self.assertRaises(OperationOutcome) as caught:
            self.weights().search(bogus=1).fetch()
        self.assert_outcome(caught.exception.resource)
        with self.assertRaises(AuthorizationError) as caught:
            connected("kw_nobody").get("Patient", self.ada)
        self.assert_outcome(json.loads(str(caught.exception)), "login")

    def test_its_asynchronous_client_writes_searches_and_pages(self):
        async def go():
            client = AsyncFHIRClient(house.BASE, authorization=f"Bearer {house.TOKEN}")
            made = client.resource("Observation", **self.plain(70.5))
            await made.save()
            search = client.resources("Observation").search(patient=self.ada, code=house.WEIGHT, date__ge="2026-01-01")
            found = [it.effectiveDateTime async for it in search.sort("date").limit(5)]
            await made.delete()
            with self.assertRaises(ResourceNotFound):
                await client.get("Observation", made.id)
            return found

        self.assertEqual(asyncio.run(go()), house.days(23))


if __name__ == "__main__":
    unittest.main()
