"""PyPI fhirpy, its plain and its asynchronous client, as they are without settings."""

import asyncio
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

    def test_its_own_kind_of_patch_is_refused_in_words(self):
        # It sends some members of a resource, as its maker's server takes them. R4 knows JSON Patch and FHIRPath Patch.
        made = self.weight().create()
        with self.assertRaises(OperationOutcome) as caught:
            made.patch(status="amended")
        self.assert_outcome(caught.exception.resource)
        self.assertEqual(self.client.get("Observation", made.id)["status"], "final")

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
        with self.assertRaises(AuthorizationError) as caught:
            connected("kw_nobody").get("Patient", self.ada)
        self.assert_outcome(json.loads(str(caught.exception)), "login")

    def test_its_asynchronous_client_writes_and_deletes(self):
        async def go():
            client = AsyncFHIRClient(house.BASE, authorization=f"Bearer {house.TOKEN}")
            made = client.resource("Observation", **self.plain(70.5))
            await made.save()
            await made.delete()
            with self.assertRaises(ResourceNotFound):
                await client.get("Observation", made.id)

        asyncio.run(go())


if __name__ == "__main__":
    unittest.main()
